/** The table: one line for each figure next to what it is compared with, the ratio, and whether the target is met. */
import { summarize } from './statistics.mjs';

/**
 * @typedef {{ what: string, ours: number[], other: string, theirs?: number[], better: 'more' | 'less', targetRatio?: number, targetAtMost?: number, isPart?: boolean }} Row `isPart`: what stands beside it was taken off it, so there is no ratio
 * @typedef {{ name: string, title: string, rows: Row[], faults: string[], peerFaults?: string[], checked?: string, skipped?: { other: string, why: string }[], details: unknown }} CaseResult
 */

/** What most cases check. */
const everyEvent = 'every subscriber got every event once and in order, no answered write is missing';

/** The ratio of the medians, turned so that above 1 is in our favour; null without the other side. */
export function ratioOf({ ours, theirs, better, isPart = false }) {
  if (theirs === undefined || isPart) return null;
  const [mine, other] = [summarize(ours).median, summarize(theirs).median];
  return better === 'more' ? mine / other : other / mine;
}

/** `met`, `missed`, or null where there is no target or nothing to hold it against. @param {Row} row */
export function verdictOf(row) {
  if (row.targetAtMost !== undefined) return summarize(row.ours).median <= row.targetAtMost ? 'met' : 'missed';
  const ratio = ratioOf(row);
  if (row.targetRatio === undefined || ratio === null) return null;
  return ratio >= row.targetRatio ? 'met' : 'missed';
}

/** @param {CaseResult[]} results */
export function table(results) {
  const lines = [['', 'Tidewire (min – max)', 'next to', 'it has (min – max)', 'ratio', 'target', '']];
  for (const { title, rows, faults, peerFaults = [], checked = everyEvent, skipped = [] } of results) {
    lines.push([title]);
    for (const row of rows) lines.push(rowCells(row));
    for (const { other, why } of skipped) lines.push([`  SKIPPED: ${other} (${why})`]);
    for (const fault of peerFaults) lines.push([`  PEER FAULT, its run does not count: ${fault}`]);
    for (const fault of faults) lines.push([`  FAULT: ${fault}`]);
    if (faults.length === 0) lines.push([`  checked: ${checked}`]);
  }
  return layOut(lines);
}

function rowCells(row) {
  const ratio = ratioOf(row);
  const target = row.targetAtMost === undefined ? row.targetRatio && `≥ ${row.targetRatio}` : `≤ ${row.targetAtMost}`;
  return [
    `  ${row.what}`,
    spread(row.ours),
    row.other,
    row.theirs === undefined ? 'skipped' : spread(row.theirs),
    ratio === null ? '–' : figure(ratio),
    target || '',
    verdictOf(row) ?? '',
  ];
}

function spread(samples) {
  const { median, min, max } = summarize(samples);
  return samples.length === 1 ? figure(median) : `${figure(median)} (${figure(min)} – ${figure(max)})`;
}

function figure(value) {
  if (!Number.isFinite(value)) return '–';
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : Math.abs(value) >= 1 ? 2 : 3;
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** Lines of one cell are headings and take no part in the widths. */
function layOut(lines) {
  const columns = Math.max(...lines.map((cells) => cells.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...lines.filter((cells) => cells.length > 1).map((cells) => (cells[column] ?? '').length)),
  );
  return lines
    .map((cells) =>
      cells.length === 1
        ? cells[0]
        : cells
            .map((cell, column) => cell.padEnd(widths[column]))
            .join('  ')
            .trimEnd(),
    )
    .join('\n');
}
