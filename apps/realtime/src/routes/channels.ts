/** `/channels/{name}`: the messages of a channel, publishing to it, and its stream. */

import type { Access, AccessGate } from '@tidewire/access/access-gate';
import { isRealtimeOn } from '@tidewire/access/admission';
import { keyParameters } from '@tidewire/access/key-credentials';
import type { ChannelLog } from '@tidewire/change-log/channel-log';
import { optional, parseParameters, wholeNumber, wrongParameters } from '@tidewire/collections/query-parameters';
import { audienceOf } from '@tidewire/delivery/audience';
import { createChannelFilter, createChannelView, encodeMessage } from '@tidewire/delivery/channel-view';
import { allowsChannel } from '@tidewire/protocol/channel';
import { eventNamePattern, eventNameRule, reservedEventNames } from '@tidewire/protocol/names';
import { Problem } from '@tidewire/protocol/problem';
import { admitOrigin } from '@tidewire/server-kit/cors';
import { readJsonBody } from '@tidewire/server-kit/json-body';
import { methodNotAllowed } from '@tidewire/server-kit/problem-handler';
import { sendJson } from '@tidewire/server-kit/send-json';
import { type Request, Router } from 'express';
import { queryOf } from '../live-parameters.js';
import { parseMessage } from '../parse-publish.js';
import type { PublishEvent } from '../publish-event.js';
import { realtimeOff, type StreamDoors } from '../stream-doors.js';

export type ChannelRoutesDeps = {
  doors: StreamDoors;
  accessGate: AccessGate;
  publish: PublishEvent;
  channelLog: ChannelLog;
};

/** How many messages a stream begins with, and a list has, at most. */
const MOST_MESSAGES = 500;
const listParameters = {
  max: wholeNumber(50, 1, MOST_MESSAGES),
  before: optional(wholeNumber(0, 0, Number.MAX_SAFE_INTEGER)),
};
const recent = wholeNumber(50, 0, MOST_MESSAGES);

export function createChannelRoutes({ doors, accessGate, publish, channelLog }: ChannelRoutesDeps): Router {
  const router = Router({ caseSensitive: true });

  router
    .route('/channels/:name')
    .get(
      accessGate(async (access, request, response) => {
        admitOrigin(access.rights, request, response);
        const channel = channelOf(request);
        refuseDeaf(access, channel);
        const { max, before } = parseParameters(queryOf(request), listParameters, keyParameters);
        const { database, principal } = access;
        const messages = await channelLog.recent(database.id, channel, { before: before ?? NEWEST, max });
        const verdict = audienceOf(principal, database);
        const heard = messages.filter((event) => verdict.status === 'open' && verdict.audience.see(event) !== null);
        const data = heard.map((event) => encodeMessage(channel, event)).join();
        const older = messages[0]?.id ?? null;
        sendJson(response, 200, `{"data":[${data}],"before":${older}}`);
      }),
    )
    .post(
      accessGate(async (access, request, response) => {
        admitOrigin(access.rights, request, response);
        const channel = channelOf(request);
        await publish(access, parseMessage(channel, await readJsonBody(request)), request, response);
      }),
    )
    .all(methodNotAllowed('GET, POST'));

  router
    .route('/channels/:name/stream')
    .get(
      doors.forApplications((access, request, response) => {
        const channel = channelOf(request);
        refuseDeaf(access, channel);
        const { id: databaseId } = access.database;
        const max = recentOf(request);
        const stream = {
          databaseId,
          listener: access.principal,
          view: createChannelView(channel),
          filter: createChannelFilter(channel),
        };
        const history = (upTo: number) => channelLog.recent(databaseId, channel, { before: upTo + 1, max });
        return doors.events(request, response, max === 0 ? stream : { ...stream, history });
      }),
    )
    .all(methodNotAllowed('GET'));
  return router;
}

const NEWEST = Number.MAX_SAFE_INTEGER;

/** Throws `bad_request` for what cannot be the name of a channel. */
function channelOf(request: Request): string {
  const name = String(request.params.name);
  if (eventNamePattern.test(name) && !reservedEventNames.has(name)) return name;
  const errors = [{ field: 'name', message: 'this cannot be the name of a channel', allowed: eventNameRule }];
  const reserved = `none of ${[...reservedEventNames].join(', ')}`;
  throw new Problem('bad_request', `This cannot be the name of a channel (allowed: ${eventNameRule}; ${reserved}).`, {
    errors,
  });
}

/** Throws `realtime_off`, or `forbidden` for a key that may hear nothing of the channel. */
function refuseDeaf({ database, rights, principal }: Access, channel: string): void {
  if (!isRealtimeOn(database, rights)) throw realtimeOff();
  if (database.settings.realtime.global || allowsChannel(rights.listen, channel)) return;
  throw new Problem(
    'forbidden',
    `The ${principal.kind} may not hear the channel ${channel}. Give it PUBLISH:${channel} or PUBLISH:${channel}.* in its listen list.`,
  );
}

function recentOf(request: Request): number {
  const { recent: given } = request.query;
  if (given === undefined) return recent.fallback;
  const value = typeof given === 'string' ? recent.parse(given) : undefined;
  if (value !== undefined) return value;
  throw wrongParameters([{ field: 'recent', message: 'the value is malformed', allowed: recent.allowed }]);
}
