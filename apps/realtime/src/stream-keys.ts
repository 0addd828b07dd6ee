/** Who opens a stream with a key or with a ticket. */
import { type KeyAuthenticator, keyProblem, type VerifiedKey } from '@tidewire/access/authenticate-key';
import { readKeyCredentials } from '@tidewire/access/key-credentials';
import type { StreamTickets } from '@tidewire/access/stream-tickets';
import type { Request } from 'express';

/** The verified key of a request, or of its `?ticket=`, which is used up. Rejects with the Problem (400, 401) without one. */
export type StreamKeys = (request: Request) => Promise<VerifiedKey>;

export function createStreamKeys(deps: { keys: KeyAuthenticator; tickets: StreamTickets }): StreamKeys {
  const { keys, tickets } = deps;
  return async (request) => {
    const { ticket } = request.query;
    const outcome = ticket === undefined ? await keys.authenticate(request) : await redeem(request, ticket);
    if (outcome.status !== 'verified') throw keyProblem(outcome);
    return outcome;
  };

  async function redeem(request: Request, ticket: unknown) {
    const isAlone = typeof ticket === 'string' && readKeyCredentials(request).status === 'none';
    return isAlone ? tickets.redeem(ticket) : { status: 'several' as const };
  }
}
