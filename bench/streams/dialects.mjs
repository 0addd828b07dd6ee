/**
 * How a server's stream is read: which blocks are events, and which id follows which.
 * The data of each event carries `"n":"<9 digits>"` and, where latency is measured, `"t":<microseconds>`.
 */

/** @typedef {{ kind: 'event', id: string, number: number, sentAt: number } | { kind: 'control', id: string | undefined } | { kind: 'fault', why: string }} Block */

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
  isNext: (before, id) => before === undefined || Number(id) === Number(before) + 1,
  /** Whether a cursor of `id` after the event `last` claims no event that has not come. */
  isPassed: (last, id) => last === undefined || Number(id) <= Number(last),
};

/** Nchan's `eventsource`: ids are `<second>:<number within it>`; comments are all that is not an event. */
export const nchan = {
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

export const dialects = { tidewire, nchan };
