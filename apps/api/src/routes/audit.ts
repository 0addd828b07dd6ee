/** The audit log for admins: pages of it, and all of it as a file for owners. */
import type { AdminGate } from '@tidewire/access/admin-gate';
import type { AuditFilter, AuditLog } from '@tidewire/access/audit-log';
import { optional, parseParameters, text, wholeNumber } from '@tidewire/collections/query-parameters';
import { methodNotAllowed } from '@tidewire/server-kit/problem-handler';
import { sendStream } from '@tidewire/server-kit/send-stream';
import { type Request, Router } from 'express';
import { queryOf } from '../parse-input.js';
import { sendValue } from '../send-value.js';

export type AuditRoutesDeps = { adminGate: AdminGate; audit: AuditLog };

const filterParameters = { database: text, actor: text, action: text };
const pageParameters = {
  ...filterParameters,
  before: optional(wholeNumber(0, 1, Number.MAX_SAFE_INTEGER)),
  max: wholeNumber(100, 1, 1_000),
};

/** To be mounted at `/api`. */
export function createAuditRoutes({ adminGate, audit }: AuditRoutesDeps): Router {
  const router = Router({ caseSensitive: true });

  router
    .route('/audit')
    .get(
      adminGate(async (_admin, request, response) => {
        const { before, max, ...filter } = parseParameters(queryOf(request), pageParameters);
        const page = await audit.list({ ...filterOf(filter), before: before ?? undefined }, max);
        sendValue(response, 200, page);
      }),
    )
    .all(methodNotAllowed('GET'));

  router
    .route('/audit/export')
    .get(
      adminGate(async (_admin, request, response) => {
        const filter = filterOf(parseParameters(queryOf(request), filterParameters));
        const headers = ['Content-Disposition', 'attachment; filename="audit.ndjson"'];
        const chunks = isHead(request) ? none() : audit.export(filter);
        await sendStream(response, { type: 'application/x-ndjson; charset=utf-8', headers, chunks });
      }),
    )
    .all(methodNotAllowed('GET'));

  return router;
}

function filterOf({ database, actor, action }: Record<keyof typeof filterParameters, string | null>): AuditFilter {
  return { database: database ?? undefined, actor: actor ?? undefined, action: action ?? undefined };
}

function isHead({ method }: Request): boolean {
  return method === 'HEAD';
}

async function* none(): AsyncGenerator<string, void> {}
