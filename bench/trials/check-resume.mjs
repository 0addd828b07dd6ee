/** Whether what somebody got who came back with a cursor is what was due. Pure, so that planted faults can be shown to it. */

/**
 * @typedef {{ kind: 'event' | 'reset', id: number, event: string, data: string }} Item
 * @typedef {{ items: readonly Item[], cursor: number }} Answer everything that came, in order, and the cursor at the end
 * @typedef {{ event: string, data: string, isOfPart: boolean }} Known an event as everybody saw it
 * @typedef {{ head: number, oldest: number }} Reach how far the log reached
 * @typedef {{ answer: Answer, cursor: number, before: Reach, after: Reach, isWhole: boolean, events: ReadonlyMap<number, Known> }} Resume `cursor` -1: something that is no number;
 *   `before` and `after`: around the whole of it; `isWhole`: everything may be heard, else what `isOfPart`
 */

/**
 * What came, against what was due: each stretch between resets, and each reset.
 * @param {Resume} resume
 * @returns {{ fault: string } | { resets: { reason: string, isFirst: boolean }[], shown: number }}
 */
export function checkResume({ answer, cursor, before, after, isWhole, events }) {
  const resets = [];
  let [from, place, shown] = [cursor, 0, 0];
  for (;;) {
    const end = answer.items.findIndex(({ kind }, index) => index >= place && kind === 'reset');
    const stretch = answer.items.slice(place, end < 0 ? undefined : end);
    const last = end < 0 ? answer.cursor : (stretch.at(-1)?.id ?? from);
    const fault = checkStretch({ stretch, from, last, isWhole, events });
    if (fault !== null) return { fault };
    shown += stretch.length;
    if (end < 0) return { resets, shown };
    const wrong = checkReset({ reset: answer.items[end], from, last, before, after, isWhole });
    if (wrong !== null) return { fault: wrong };
    const { reason, newest } = JSON.parse(answer.items[end].data);
    resets.push({ reason, isFirst: end === 0 });
    [from, place] = [newest, end + 1];
  }
}

/** Every event in (from, last] that may be heard, once, in order, with the data that everybody saw. */
function checkStretch({ stretch, from, last, isWhole, events }) {
  let place = 0;
  for (let id = from + 1; id <= last && from >= 0; id += 1) {
    const due = events.get(id);
    if (due === undefined) return `no witness saw event ${id}`;
    if (!isWhole && !due.isOfPart) continue;
    const came = stretch[place];
    place += 1;
    if (came?.id !== id) return `event ${id} was due and ${came?.id ?? 'nothing'} came`;
    if (came.event !== due.event || !isSame(came.data, due.data))
      return `event ${id} came with other data: ${came.data}`;
  }
  return place < stretch.length ? `event ${stretch[place].id} was not due` : null;
}

const isSame = (one, other) => one === other || JSON.stringify(JSON.parse(one)) === JSON.stringify(JSON.parse(other));

/** A reset must be needed, say the right reason, and go on from where the log was. `from`: where the stretch before it began; `last`: the last event before it. */
function checkReset({ reset, from, last, before, after, isWhole }) {
  const { reason, oldest, newest } = JSON.parse(reset.data);
  if (reset.id !== newest) return `the reset has the id ${reset.id} and says ${newest}`;
  if (newest > after.head) return `the reset goes on from ${newest}, and the log ends at ${after.head}`;
  if (oldest > after.oldest) return `the reset says that the log begins at ${oldest}, and it begins at ${after.oldest}`;
  if (from < 0 || from > after.head) return reason === 'unknown' ? null : `the reset says ${reason}, not unknown`;
  if (reason !== 'retention') return `the reset says ${reason}, not retention`;
  if (newest < before.head - 500) return `the reset goes on from ${newest}, and the log ended at ${before.head} before`;
  // The client of a part may have been moved further in silence.
  const isNeeded = (isWhole ? last : from) + 1 < after.oldest;
  return isNeeded ? null : `a reset, and the log, which begins at ${after.oldest}, had everything after ${last}`;
}
