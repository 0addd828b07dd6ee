/**
 * How a server's stream is read: which blocks are events, and which id follows which.
 * The data of each event carries `"n":"<9 digits>"` and, where latency is measured, `"t":<microseconds>`.
 *
 * `framing`: a block is what stands before a blank line, or a WebSocket message. `greeting`: what is sent when the answer's head is there; the
 * stream is then open with the block that `opens` it. `hasOwnBytes`: each subscriber gets bytes of its own for the same events.
 */

/**
 * @typedef {{ id: string, number: number, sentAt: number }} StreamEvent
 * @typedef {{ kind: 'event' } & StreamEvent | { kind: 'control', id: string | undefined, opens?: boolean } | { kind: 'fault', why: string }} Block
 * @typedef {{
 *   framing: 'blank line' | 'websocket', status: number, greeting: Buffer | null, hasOwnBytes: boolean, read: (text: string) => Block,
 *   isNext: (before: string | undefined, id: string) => boolean, isPassed: (last: string | undefined, id: string) => boolean
 * }} Dialect
 */

const serverSentEvents = { framing: 'blank line', status: 200, greeting: null, hasOwnBytes: false };
const countsUp = (before, id) => before === undefined || Number(id) === Number(before) + 1;

/** The fields that matter here, of one block without its blank line. */
function fieldsOf(text) {
  const fields = { id: undefined, event: undefined, data: undefined };
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':');
    if (colon <= 0) continue;
    fields[line.slice(0, colon)] = line.slice(colon + (line[colon + 1] === ' ' ? 2 : 1));
  }
  return fields;
}

function eventOf(id, data) {
  const number = Number(/"n":"(\d{9})"/.exec(data)?.[1]);
  if (Number.isNaN(number)) return { kind: 'fault', why: `the event ${id} has no number: ${data.slice(0, 100)}` };
  return { kind: 'event', id, number, sentAt: Number(/"t":(\d+)/.exec(data)?.[1] ?? 0) };
}

/** GET /realtime: ids are 1, 2, 3 …; pings and blocks without an event only move the cursor. */
export const tidewire = {
  ...serverSentEvents,
  /** @param {string} text @returns {Block} */
  read(text) {
    const { id, event, data } = fieldsOf(text);
    switch (event) {
      case undefined:
      case 'ping':
        return { kind: 'control', id };
      case 'reset':
      case 'revoked':
      case 'expired':
        return { kind: 'fault', why: `the stream said ${event}: ${data}` };
      default:
        return id === undefined ? { kind: 'fault', why: `an event ${event} without id` } : eventOf(id, data ?? '');
    }
  },
  isNext: countsUp,
  /** Whether a cursor of `id` after the event `last` claims no event that has not come. */
  isPassed: (last, id) => last === undefined || Number(id) <= Number(last),
};

/** Nchan's `eventsource`: ids are `<second>:<number within it>`; comments are all that is not an event. */
export const nchan = {
  ...serverSentEvents,
  /** @param {string} text @returns {Block} */
  read(text) {
    const { id, data } = fieldsOf(text);
    return id === undefined ? { kind: 'control', id } : eventOf(id, data ?? '');
  },
  isNext(before, id) {
    if (before === undefined) return true;
    const [second = 0, tag = 0] = id.split(':').map(Number);
    const [secondBefore = 0, tagBefore = 0] = before.split(':').map(Number);
    return second > secondBefore || (second === secondBefore && tag > tagBefore);
  },
  isPassed: () => true,
};

const webSocket = { framing: 'websocket', status: 101, greeting: null, hasOwnBytes: false };

/** The id within a message's own text. */
function numbered(text) {
  const id = /"id":(\d+)/.exec(text)?.[1];
  return id === undefined ? { kind: 'fault', why: `a message without id: ${text.slice(0, 100)}` } : eventOf(id, text);
}

/** One JSON text per message, with its `id`. */
export const websocket = { ...webSocket, read: numbered, isNext: countsUp, isPassed: () => true };

/** Socket.IO 4 over WebSocket: `0` opens the transport, `40` the namespace, `42` is an event (Engine.IO 4 and Socket.IO 5 protocols). */
export const socketIo = {
  ...webSocket,
  greeting: clientText('40'),
  /** @param {string} text @returns {Block} */
  read(text) {
    if (text.startsWith('42')) return numbered(text);
    if (text.startsWith('44')) return { kind: 'fault', why: `Socket.IO refused: ${text}` };
    return { kind: 'control', id: undefined, opens: text.startsWith('40') };
  },
  isNext: countsUp,
  isPassed: () => true,
};

/**
 * Durable Streams: an `event: data` with a list for each message, and an `event: control` with the offset. Messages have no ids of their own there, so only
 * their numbers and their order are held against those of others.
 */
export const durableStreams = {
  ...serverSentEvents,
  hasOwnBytes: true,
  /** @param {string} text @returns {Block} */
  read(text) {
    const { event, data } = fieldsOf(text);
    if (event !== 'data') return { kind: 'control', id: undefined };
    if ((data ?? '').split('"n":"').length !== 2)
      return { kind: 'fault', why: `not one message: ${text.slice(0, 100)}` };
    return eventOf('', data);
  },
  isNext: () => true,
  isPassed: () => true,
};

const parseRequests = [
  { op: 'connect', applicationId: 'bench', restAPIKey: 'bench' },
  { op: 'subscribe', requestId: 1, query: { className: 'Bench', where: {} } },
];

/** Parse Server's LiveQuery: messages have no ids, and each names the client that it goes to. */
export const parseServer = {
  ...webSocket,
  hasOwnBytes: true,
  greeting: Buffer.concat(parseRequests.map((one) => clientText(JSON.stringify(one)))),
  /** @param {string} text @returns {Block} */
  read(text) {
    const op = /^\{"op":"(\w+)"/.exec(text)?.[1];
    if (op === 'create') return eventOf('', text);
    if (op === 'connected' || op === 'subscribed')
      return { kind: 'control', id: undefined, opens: op === 'subscribed' };
    return { kind: 'fault', why: `Parse Server said ${text.slice(0, 200)}` };
  },
  isNext: () => true,
  isPassed: () => true,
};

/** A text of a client, masked with zeros (RFC 6455, section 5.3). */
function clientText(text) {
  const { length } = text;
  const size = length < 126 ? [0x80 | length] : [0x80 | 126, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([0x81, ...size, 0, 0, 0, 0]), Buffer.from(text)]);
}

export const dialects = { tidewire, nchan, websocket, socketIo, durableStreams, parseServer };
