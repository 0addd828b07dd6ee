/** How a response becomes a stream: what every route of streams does, whatever it shows. */
import { endedProblem, type VerifiedAccess } from '@tidewire/access/authenticate-key';
import { problemOfDatabaseFailure } from '@tidewire/access/database-problem';
import { addressGroup } from '@tidewire/access/login-throttle';
import { type ApplicationPrincipal, holderOf } from '@tidewire/access/principal';
import type { UserDirectory } from '@tidewire/access/user-directory';
import type { Catalog } from '@tidewire/db/catalog';
import { audienceOf, type Listener } from '@tidewire/delivery/audience';
import { parseCursor } from '@tidewire/delivery/cursor';
import type { ReadHistory } from '@tidewire/delivery/database-streams';
import { type EventFilter, noFilter } from '@tidewire/delivery/event-filter';
import type { Hub, LiveSubscription, StreamHandle } from '@tidewire/delivery/hub';
import type { NoPlace, OpenStreams } from '@tidewire/delivery/open-streams';
import { parseEventFilter } from '@tidewire/delivery/parse-event-filter';
import type { SocketSink } from '@tidewire/delivery/sink';
import { openStream } from '@tidewire/delivery/stream-response';
import type { StreamView } from '@tidewire/delivery/stream-view';
import { Problem } from '@tidewire/protocol/problem';
import { admitOrigin, allowReadingRetry } from '@tidewire/server-kit/cors';
import { frameText } from '@tidewire/sse/chunk';
import { encodeBlock } from '@tidewire/sse/encode';
import type { Request, RequestHandler, Response } from 'express';
import type { StreamKeys } from './stream-keys.js';

export type StreamDoorsDeps = {
  hub: Hub;
  catalog: Catalog;
  streamKeys: StreamKeys;
  /** Places for streams of this process. */
  places: OpenStreams;
  /** Where users are kept up to date as long as streams of theirs are open. */
  directory: Pick<UserDirectory, 'hold'>;
  onError: (error: unknown) => void;
  random?: (() => number) | undefined;
};

/** A stream of the events of a database. `filter`: none unless given; `history`: what a stream without a cursor begins with. */
export type EventStream = {
  view: StreamView;
  listener: Listener;
  databaseId: number;
  filter?: EventFilter;
  history?: ReadHistory;
};

/** What happens to a stream that is open; `onClosed` is called when its socket is gone. */
type WhenClosed = { onClosed?: () => void };

export interface StreamDoors {
  /** Hands the response over to the hub, for the events of a database. Nothing of the request is kept. Null when there is no stream after all. */
  events(request: Request, response: Response, stream: WhenClosed & EventStream): Promise<StreamHandle | null>;
  /** The same for a live query. Refusals of what it asks for are thrown before the answer begins. */
  live(request: Request, response: Response, stream: WhenClosed & LiveSubscription): Promise<StreamHandle | null>;
  /**
   * The handler of a stream, whose failures that may pass are no refusals. An `EventSource` gives up for good on any status but 200 (WHATWG HTML, section 9.2.3), so while
   * Postgres is away, too many ask, or there is no place, a stream is answered with 200, a time to come back at, and its end.
   */
  orComeBack(handler: RequestHandler): RequestHandler;
  /** Makes such a handler for a stream of an application: type, key or token (or ticket) and origin first. */
  forApplications(
    work: (access: VerifiedAccess, request: Request, response: Response) => Promise<unknown>,
  ): RequestHandler;
}

const streamHead = { 'Content-Type': 'text/event-stream; charset=utf-8', 'Cache-Control': 'no-cache, no-transform' };
/** What a browser waits before it comes back, as restdb.io asks of it. */
const RETRY_MS = 2_000;

const full: Record<NoPlace, string> = {
  key: 'the key has as many open streams as it may have',
  address: 'the address has as many open streams as it may have',
  server: 'this process has as many open streams as it may have',
};

export function createStreamDoors(deps: StreamDoorsDeps): StreamDoors {
  const { hub, catalog, streamKeys, places, directory, onError } = deps;
  const random = deps.random ?? Math.random;
  const comeBack = (afterSeconds = 1) => encodeBlock({ retry: afterSeconds * 1_000 + random() * 2_000 });
  /** Who a request comes from; admins are missing. */
  const holders = new WeakMap<Request, ApplicationPrincipal>();

  /** Takes a place, or answers the request and gives null. */
  function takePlace(request: Request, response: Response): { release: () => void } | null {
    const holder = holders.get(request);
    const key = holder === undefined ? null : holderOf(holder);
    const place = places.take({ key, address: addressGroup(request.ip ?? '') });
    if (place.status === 'taken') return holder?.kind === 'user' ? withHold(place, directory.hold(holder)) : place;
    response.writeHead(200, streamHead);
    response.end(`: ${full[place.of]}\n${encodeBlock({ retry: 5_000 + random() * 10_000 })}`);
    return null;
  }

  /** Makes the response a stream; null when it is answered otherwise. `begin` attaches it to the hub; when it fails, the client is told to come back. */
  async function open(
    request: Request,
    response: Response,
    begin: (sink: SocketSink) => StreamHandle | Promise<StreamHandle>,
    onClosed: (() => void) | undefined,
  ): Promise<StreamHandle | null> {
    const place = takePlace(request, response);
    if (place === null) return null;
    const connection = openStream(request, response, hub.outbox);
    if (connection === null) {
      place.release();
      return null;
    }
    const { sink, attach } = connection;
    try {
      const handle = await begin(sink);
      attach(handle.drained, () => {
        handle.closed();
        place.release();
        onClosed?.();
      });
      return handle;
    } catch (error) {
      place.release();
      onError(error);
      sink.write(frameText(comeBack()));
      sink.end();
      return null;
    }
  }

  async function events(
    request: Request,
    response: Response,
    { onClosed, filter = noFilter, ...stream }: WhenClosed & EventStream,
  ): Promise<StreamHandle | null> {
    const database = await catalog.byId(stream.databaseId);
    if (database === null) throw new Problem('not_found', 'The database does not exist.');
    const verdict = audienceOf(stream.listener, database);
    if (verdict.status === 'ended') throw endedProblem(stream.listener, verdict.event);
    const cursor = cursorOf(request);
    if (request.method === 'HEAD') return answerHead(response);
    const { audience, until } = verdict;
    const begin = (sink: SocketSink) => hub.subscribe({ ...stream, audience, until, filter, sink, cursor });
    return open(request, response, begin, onClosed);
  }

  async function live(
    request: Request,
    response: Response,
    { onClosed, ...subscription }: WhenClosed & LiveSubscription,
  ): Promise<StreamHandle | null> {
    if (request.method === 'HEAD') return answerHead(response);
    const join = await hub.openLive(subscription);
    const begin = (sink: SocketSink) => {
      sink.write(frameText(encodeBlock({ retry: RETRY_MS })));
      return join(sink);
    };
    return open(request, response, begin, onClosed);
  }

  function orComeBack(handler: RequestHandler): RequestHandler {
    return (request, response, next) =>
      handler(request, response, (error?: unknown) => {
        const problem = error instanceof Problem ? error : problemOfDatabaseFailure(error);
        if (response.headersSent || !isPassing(problem)) return next(error);
        if (problem?.code === 'unavailable') onError(error);
        allowReadingRetry(request, response);
        response.writeHead(200, streamHead);
        response.end(comeBack(secondsOf(problem)));
      });
  }

  function forApplications(work: Parameters<StreamDoors['forApplications']>[0]): RequestHandler {
    return orComeBack(async (request, response, next) => {
      try {
        refuseOtherTypes(request);
        const access = await streamKeys(request, response);
        admitOrigin(access.rights, request, response);
        holders.set(request, access.principal);
        await work(access, request, response);
      } catch (error) {
        next(error);
      }
    });
  }

  return { events, live, orComeBack, forApplications };
}

/** Lets go of both at once. */
function withHold({ release }: { release: () => void }, letGo: () => void): { release: () => void } {
  return {
    release() {
      release();
      letGo();
    },
  };
}

function answerHead(response: Response): null {
  response.writeHead(200, streamHead).end();
  return null;
}

/** Whether it may well go the next time. */
function isPassing(problem: Problem | null): boolean {
  return problem?.code === 'unavailable' || problem?.code === 'too_many_requests';
}

/** When it may go again, where that is known. */
function secondsOf(problem: Problem | null): number | undefined {
  const seconds = Number(problem?.headers['Retry-After']);
  return seconds > 0 ? seconds : undefined;
}

/** An `Accept` header that has neither the stream's type nor a wildcard for it cannot be served. Throws `not_acceptable`. */
export function refuseOtherTypes(request: Request): void {
  const { accept } = request.headers;
  if (accept === undefined || accept.split(',').some(isForStreams)) return;
  throw new Problem('not_acceptable', 'This is a stream of server-sent events. Accept text/event-stream.');
}

/** One range of `Accept` (RFC 9110, section 12.5.1); a weight of 0 rules out. */
function isForStreams(range: string): boolean {
  const [type = '', ...parameters] = range.toLowerCase().split(';');
  if (!['text/event-stream', 'text/*', '*/*'].includes(type.trim())) return false;
  return !parameters.some((parameter) => /^\s*q=0(\.0*)?\s*$/.test(parameter));
}

/** The refusal of a stream while realtime is off for its key. */
export function realtimeOff(): Problem {
  return new Problem(
    'realtime_off',
    'Realtime is off for this key. Give it a channel such as POST:company in its listen list, or turn on realtime.global in the settings.',
  );
}

const cursorNames = ['lastEventId', 'last_event_id', 'since'] as const;
/** Query parameters that every stream takes: those that may hold a cursor, and the ticket. */
export const cursorParameters: readonly string[] = [...cursorNames, 'ticket'];

/** The header stands above the query, which a reconnecting browser repeats unchanged. */
function cursorOf(request: Request): number | null {
  const header = request.headers['last-event-id'];
  if (typeof header === 'string' && header !== '') return parseCursor(header);
  for (const name of cursorNames) {
    const value = request.query[name];
    if (value !== undefined) return parseCursor(typeof value === 'string' ? value : 'several');
  }
  return null;
}

/** What the query asks to be shown: `collections`, `events`, `q`. Throws `bad_request`. */
export function filterOf(request: Request): EventFilter {
  return parseEventFilter({
    collections: valuesOf(request, 'collections'),
    events: valuesOf(request, 'events'),
    q: valuesOf(request, 'q'),
  });
}

/** The values of a query parameter, however often it stands there. */
function valuesOf(request: Request, name: string): string[] {
  const value = request.query[name];
  if (value === undefined) return [];
  return (Array.isArray(value) ? value : [value]).map(String);
}
