/** Who opens a stream with a key or with a ticket. Opening one counts as a request. */
import { type KeyAuthenticator, keyProblem, type VerifiedAccess } from '@tidewire/access/authenticate-key';
import { readKeyCredentials } from '@tidewire/access/key-credentials';
import type { RequestLimits } from '@tidewire/access/request-limits';
import type { StreamTickets } from '@tidewire/access/stream-tickets';
import type { Request, Response } from 'express';

/** The verified key of a request, or of its `?ticket=`, which is used up. Rejects with the Problem (400, 401) without one, or above a limit (429). */
export type StreamKeys = (request: Request, response: Response) => Promise<VerifiedAccess>;

export type StreamKeysDeps = { keys: KeyAuthenticator; tickets: StreamTickets; limits: RequestLimits };

export function createStreamKeys({ keys, tickets, limits }: StreamKeysDeps): StreamKeys {
  return async (request, response) => {
    const { ticket } = request.query;
    let access = ticket === undefined ? keys.recall(request) : null;
    if (access === null) {
      await limits.attempt(request);
      const outcome = ticket === undefined ? await keys.authenticate(request) : await redeem(request, ticket);
      if (outcome.status !== 'verified') throw keyProblem(outcome);
      access = outcome;
    }
    await limits.admit(access, response);
    return access;
  };

  async function redeem(request: Request, ticket: unknown) {
    const isAlone = typeof ticket === 'string' && readKeyCredentials(request).status === 'none';
    return isAlone ? tickets.redeem(ticket) : { status: 'several' as const };
  }
}
