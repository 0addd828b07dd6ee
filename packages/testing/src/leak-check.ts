/** Finds sockets, timers and servers that a test left behind. */
import { eventually } from './eventually.js';

/** Kinds of `process.getActiveResourcesInfo()` that the test runner itself opens and closes at any time. */
const ignored = new Set([
  'PipeWrap',
  'TTYWrap',
  'FSReqPromise',
  'FSReqCallback',
  'Immediate',
  'MessagePort',
  'CloseReq',
  'TickObject',
]);

export type LeakCheck = {
  /** Resolves when nothing is open that was not open at the start; rejects with the kinds and counts after `timeoutMs`. */
  assertClean(options?: { timeoutMs?: number }): Promise<void>;
};

/** Takes note of what is open now. Call it in `beforeEach`, and `assertClean` in `afterEach`. */
export function startLeakCheck(): LeakCheck {
  const before = countResources();
  return {
    assertClean: ({ timeoutMs = 2_000 } = {}) =>
      eventually(
        () => {
          const left = [...countResources()]
            .map(([kind, count]) => [kind, count - (before.get(kind) ?? 0)] as const)
            .filter(([, surplus]) => surplus > 0);
          if (left.length > 0)
            throw new Error(`still open: ${left.map(([kind, surplus]) => `${surplus} ${kind}`).join(', ')}`);
        },
        { timeoutMs },
      ),
  };
}

function countResources(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) {
    if (!ignored.has(kind)) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return counts;
}
