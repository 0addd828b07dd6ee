/** How busy the last minute was, for the wire on the overview. */
import type { AdminEvent } from '@tidewire/protocol/admin-api';

export const activitySeconds = 60;

/** The events of each of the last 60 seconds, oldest first; what is older or from the future of another clock's lead goes to neither end. */
export function countPerSecond(events: readonly Pick<AdminEvent, 'at'>[], nowMs: number): number[] {
  const counts = new Array<number>(activitySeconds).fill(0);
  const nowSecond = Math.floor(nowMs / 1000);
  for (const { at } of events) {
    const index = activitySeconds - 1 - (nowSecond - Math.floor(Date.parse(at) / 1000));
    if (index >= 0 && index < activitySeconds) counts[index] = (counts[index] ?? 0) + 1;
  }
  return counts;
}

/** A wire as an SVG path: flat where nothing happened, a wave where something did. `height` is the height of the busiest second. */
export function wirePath(counts: readonly number[], width: number, height: number): string {
  const busiest = Math.max(1, ...counts);
  const step = width / counts.length;
  let path = `M0 ${height}`;
  counts.forEach((count, index) => {
    const x = round(index * step);
    const end = round((index + 1) * step);
    if (count === 0) {
      path += `H${end}`;
      return;
    }
    const top = round(height - height * (0.25 + 0.75 * (count / busiest)));
    const middle = round((x + end) / 2);
    path += `C${middle} ${height} ${round(x + step * 0.2)} ${top} ${middle} ${top}S${middle} ${height} ${end} ${height}`;
  });
  return path;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
