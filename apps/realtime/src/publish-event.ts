/** Publishing a custom event: into the log, or past it. */

import type { Access } from '@tidewire/access/access-gate';
import { mayPublish } from '@tidewire/access/admission';
import { authorOf } from '@tidewire/access/principal';
import type { ChangeBus } from '@tidewire/change-log/change-bus';
import type { EventWrites, WriteAnswer } from '@tidewire/change-log/document-writes';
import type { JsonValue } from '@tidewire/protocol/json';
import { invalid, Problem } from '@tidewire/protocol/problem';
import { fingerprintOf, readIdempotencyKey, wrongHeader } from '@tidewire/server-kit/idempotency-key';
import { sendJson } from '@tidewire/server-kit/send-json';
import type { Request, Response } from 'express';

/** `name` is checked already. */
export type Publication = { name: string; data: JsonValue; isEphemeral: boolean };

/** Publishes and answers `{"message":"OK"}`, with `X-Event-Id` when the event is in the log. Rejects with the Problem: 403 without the grant. */
export type PublishEvent = (
  access: Access,
  publication: Publication,
  request: Request,
  response: Response,
) => Promise<void>;

export type PublishDeps = {
  events: EventWrites;
  bus: ChangeBus;
  /** Milliseconds since the epoch. */
  now: () => number;
};

/** UTF-16 units of the JSON of an ephemeral event's data: it has to fit into one hint of the bus. */
const EPHEMERAL_LIMIT_CHARS = 64 * 1024;
const okText = '{"message":"OK"}';

export function createPublishEvent({ events, bus, now }: PublishDeps): PublishEvent {
  function shout({ principal, database }: Access, name: string, data: JsonValue): void {
    const text = JSON.stringify(data);
    if (text.length > EPHEMERAL_LIMIT_CHARS)
      throw invalid('/data', 'too large for an ephemeral event', `at most ${EPHEMERAL_LIMIT_CHARS} characters of JSON`);
    const { actor } = authorOf(principal);
    const at = new Date(now()).toISOString();
    bus.publish({ kind: 'ephemeral', databaseId: database.id, name, data: text, actor, at });
  }

  return async (access, { name, data, isEphemeral }, request, response) => {
    const { database, rights, principal } = access;
    if (!mayPublish(database, rights, name))
      throw new Problem(
        'forbidden',
        `The ${principal.kind} may not publish ${name}. It needs ${name} in its publish list.`,
      );
    const idempotencyKey = readIdempotencyKey(request);
    if (isEphemeral) {
      if (idempotencyKey !== null)
        throw wrongHeader(
          'Idempotency-Key',
          'an ephemeral event is not stored, so it has no answer to be kept',
          'none',
        );
      shout(access, name, data);
      sendJson(response, 200, okText);
      return;
    }
    const outcome = await events.create({
      scope: { databaseId: database.id, author: authorOf(principal) },
      name,
      data,
      ...(idempotencyKey === null
        ? {}
        : {
            idempotency: {
              key: idempotencyKey,
              // The name and the data are all that is stored, whichever of the routes it came by.
              fingerprint: fingerprintOf(['publish', name, data]),
              answer: ({ eventId }): WriteAnswer => ({
                status: 200,
                text: okText,
                eventId,
                etag: null,
                documentId: null,
              }),
            },
          }),
    });
    const id = outcome.status === 'written' ? outcome.eventId : null;
    sendJson(response, 200, okText, id === null ? [] : ['X-Event-Id', String(id)]);
  };
}
