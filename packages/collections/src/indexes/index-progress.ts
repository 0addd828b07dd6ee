/** How far a build is, from what Postgres tells of it. */
import type { IndexProgress } from '@tidewire/protocol/collection-schema';

/**
 * The phases of CREATE INDEX CONCURRENTLY in their order (PostgreSQL's documentation, "CREATE INDEX Progress Reporting"), by how they begin, and about how much of the time has passed where
 * each begins. An index passes over those that its kind does not have.
 */
const phases: readonly { prefix: string; from: number }[] = [
  { prefix: 'initializing', from: 0 },
  { prefix: 'waiting for writers before build', from: 0 },
  { prefix: 'building index: sorting', from: 0.55 },
  { prefix: 'building index: loading', from: 0.6 },
  { prefix: 'building index', from: 0 },
  { prefix: 'waiting for writers before validation', from: 0.7 },
  { prefix: 'index validation: scanning index', from: 0.7 },
  { prefix: 'index validation: sorting', from: 0.8 },
  { prefix: 'index validation: scanning table', from: 0.85 },
  { prefix: 'waiting for old snapshots', from: 0.97 },
];

/** Where the phase ends: where the next one that is further begins. */
function endOf(from: number): number {
  return Math.min(1, ...phases.map((phase) => phase.from).filter((begin) => begin > from));
}

/** `progress` never reaches 1: only an index that is ready is done. */
export function progressOf(phase: string, done: number, total: number): IndexProgress {
  const from = phases.find(({ prefix }) => phase.startsWith(prefix))?.from ?? 0;
  const share = total > 0 ? Math.min(1, done / total) : 0;
  const progress = Math.min(0.99, from + share * (endOf(from) - from));
  return { progress: Math.round(progress * 1_000) / 1_000, phase, done, total };
}
