/** `/health`: the process answers. `/ready`: it can do its work. */

import { Router } from 'express';
import { methodNotAllowed } from './problem-handler.js';
import { sendJson } from './send-json.js';

/** One thing that must be so before requests may come. `detail` says why it is not, in words for operators, without secrets. */
export type ReadyCheck = { name: string; check: () => Promise<{ ok: boolean; detail?: string }> };

export type HealthOptions = {
  checks: readonly ReadyCheck[];
  /** What `/health` says besides its status; asked each time. Default nothing. */
  facts?: () => object;
};

/** `/ready` answers 503 as long as one check is not ok, or fails. */
export function createHealthRoutes({ checks, facts }: HealthOptions): Router {
  const router = Router({ caseSensitive: true });
  router
    .route('/health')
    .get((_request, response) => sendJson(response, 200, JSON.stringify({ status: 'ok', ...facts?.() })))
    .all(methodNotAllowed('GET'));
  router
    .route('/ready')
    .get(async (_request, response) => {
      const results = await Promise.all(checks.map(run));
      const isReady = results.every(({ ok }) => ok);
      sendJson(
        response,
        isReady ? 200 : 503,
        JSON.stringify({ status: isReady ? 'ready' : 'not ready', checks: results }),
      );
    })
    .all(methodNotAllowed('GET'));
  return router;
}

async function run({ name, check }: ReadyCheck): Promise<{ name: string; ok: boolean; detail?: string }> {
  try {
    return { name, ...(await check()) };
  } catch {
    return { name, ok: false, detail: 'the check itself failed' };
  }
}
