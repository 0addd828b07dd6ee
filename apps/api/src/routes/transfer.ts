/** Whole collections out and in: `GET /rest/{collection}/export`, `POST /rest/{collection}/import`. */

import type { AccessGate } from '@tidewire/access/access-gate';
import { mayRest } from '@tidewire/access/admission';
import { endedProblem } from '@tidewire/access/authenticate-key';
import { keyParameters } from '@tidewire/access/key-credentials';
import { standingOf } from '@tidewire/access/rights';
import type { DocumentWrites } from '@tidewire/change-log/document-writes';
import {
  type DocumentExport,
  type ExportFormat,
  exportDocuments,
  exportFormats,
} from '@tidewire/collections/export-documents';
import { findCollection } from '@tidewire/collections/find-collection';
import { importDocuments } from '@tidewire/collections/import/import-documents';
import { type ImportFormat, importFormats, UnreadableTextError } from '@tidewire/collections/import/import-row';
import { readRows } from '@tidewire/collections/import/read-rows';
import { flag, type ParameterParser, parseParameters } from '@tidewire/collections/query-parameters';
import { noCollection } from '@tidewire/collections/refusals';
import type { Catalog } from '@tidewire/db/catalog';
import type { SqlPool } from '@tidewire/db/sql-pool';
import type { RestMethod } from '@tidewire/protocol/channel';
import { Problem, type ProblemField } from '@tidewire/protocol/problem';
import { preflight, readableRefusal } from '@tidewire/server-kit/browser-access';
import { parseJsonText } from '@tidewire/server-kit/json-text';
import { methodNotAllowed } from '@tidewire/server-kit/problem-handler';
import { sendJson } from '@tidewire/server-kit/send-json';
import { sendStream } from '@tidewire/server-kit/send-stream';
import { readTextBody } from '@tidewire/server-kit/text-body';
import { type Request, type Response, Router } from 'express';
import { queryOf } from '../parse-input.js';
import { createRestRoute, type RestTarget } from './rest-route.js';

export type TransferRoutesDeps = {
  accessGate: AccessGate;
  catalog: Catalog;
  /** Reads; an export keeps one of its connections for as long as it takes. */
  pool: SqlPool;
  documents: DocumentWrites;
};

/** Exports of this process at a time: each holds a connection and a snapshot. */
const exportsLimit = 3;
/** So many refused rows are listed; the rest is counted. */
const listedRows = 1_000;

const exportParameters = { format: choiceOf<ExportFormat>('ndjson', exportFormats), metafields: flag };
const importParameters = {
  format: {
    ...choiceOf<ImportFormat>('ndjson', importFormats),
    fallback: null,
  } as ParameterParser<ImportFormat | null>,
  keepIds: flag,
};
const typeOfExport: Record<ExportFormat, string> = {
  ndjson: 'application/x-ndjson; charset=utf-8',
  json: 'application/json; charset=utf-8',
  csv: 'text/csv; charset=utf-8; header=present',
};
const formatOfType: Record<string, ImportFormat> = {
  'application/x-ndjson': 'ndjson',
  'application/jsonl': 'ndjson',
  'application/json': 'json',
  'text/csv': 'csv',
};

/** To be mounted at `/rest`, before the routes of documents. */
export function createTransferRoutes({ accessGate, catalog, pool, documents }: TransferRoutesDeps): Router {
  const router = Router({ caseSensitive: true });
  const route = createRestRoute(accessGate);
  let exportsOpen = 0;

  /** A key can be revoked or narrowed, and a rule can change, while a transfer runs: asked again with each batch. */
  function checkStillGranted({ database, collection, principal, rule }: RestTarget, method: RestMethod): void {
    const present = catalog.peek(database.id);
    const standing = present === undefined ? null : standingOf(principal, present);
    if (standing?.status === 'ended') throw endedProblem(principal, standing.ended);
    if (present === undefined || standing === null) throw endedProblem(principal);
    const isGranted = mayRest(present, standing.rights, method, collection);
    if (!isGranted && principal.kind === 'key') throw endedProblem(principal);
    const ruleNow = standing.rights.rules?.of(method, collection) ?? null;
    if (!isGranted || ruleNow?.signature !== rule?.signature)
      throw new Problem('forbidden', 'What the roles of the user let through has changed meanwhile. Begin again.');
  }

  async function sendExport(target: RestTarget, request: Request, response: Response): Promise<void> {
    const { database, collection } = target;
    const { rule = null } = target;
    const options = { ...parseParameters(queryOf(request), exportParameters, keyParameters), rule };
    const id = await findCollection(pool, database, collection);
    if (id === null && !database.settings.collections.createOnWrite) throw noCollection(collection);
    const opened = await exportDocuments(pool, id, options);
    expose(response, 'X-Total-Count, Content-Disposition');
    const headers = [
      'X-Total-Count',
      String(opened.total),
      'Content-Disposition',
      `attachment; filename="${collection}.${options.format}"`,
    ];
    const type = typeOfExport[options.format];
    if (request.method === 'HEAD') {
      await opened.close();
      await sendStream(response, { type, headers, chunks: none() });
    } else await sendStream(response, { type, headers, chunks: checked(opened, target) });
  }

  async function* checked({ chunks }: DocumentExport, target: RestTarget): AsyncGenerator<string> {
    for await (const { text } of chunks) {
      checkStillGranted(target, 'GET');
      yield text;
    }
  }

  router.use(preflight);
  router
    .route('/:collection/export')
    .get(
      route('GET', async (target, request, response) => {
        if (exportsOpen >= exportsLimit) throw tooManyExports();
        exportsOpen += 1;
        try {
          await sendExport(target, request, response);
        } finally {
          exportsOpen -= 1;
        }
      }),
    )
    .all(methodNotAllowed('GET'));

  router
    .route('/:collection/import')
    .post(
      route('POST', async (target, request, response) => {
        const { format, keepIds } = parseParameters(queryOf(request), importParameters, keyParameters);
        const { database, collection, scope, mayGet, rule = null } = target;
        if (keepIds && rule !== null) throw keepsNoIds();
        if (!database.settings.collections.createOnWrite && (await findCollection(pool, database, collection)) === null)
          throw noCollection(collection);
        const refused: { line: number; message: string; errors?: ProblemField[] }[] = [];
        let imported = 0;
        const rows = readRows(format ?? formatOf(request), readTextBody(request), parseJsonText);
        const outcome = await importDocuments(rows, {
          documents,
          scope,
          collection,
          keepIds,
          mayGet,
          rule,
          onBadRow: ({ line, reason, errors }) => {
            if (refused.length < listedRows) refused.push({ line, message: reason, ...describeErrors(errors) });
          },
          onBatch: (count) => {
            imported = count;
            checkStillGranted(target, 'POST');
          },
        }).catch((error: unknown) => {
          throw endedEarly(error, imported);
        });
        const answer = { imported: outcome.documents, refusedCount: outcome.bad, refused };
        const eventId = outcome.eventId === null ? [] : ['X-Event-Id', String(outcome.eventId)];
        sendJson(response, 200, JSON.stringify(answer), eventId);
      }),
    )
    .all(methodNotAllowed('POST'));
  router.use(readableRefusal);
  return router;
}

/** The wrong fields of a row, as problems show them. */
function describeErrors(errors: ProblemField[] | undefined): { errors?: ProblemField[] } {
  return errors === undefined ? {} : { errors: errors.map(({ word: _word, ...error }) => error) };
}

/** One of a list of words. */
function choiceOf<T extends string>(fallback: T, words: readonly T[]): ParameterParser<T> {
  return { fallback, allowed: words.join(', '), parse: (text) => words.find((word) => word === text) };
}

/** Without a parameter the type of the body tells. Throws `unsupported_media_type`. */
function formatOf({ headers }: Request): ImportFormat {
  const type = (headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  const format = Object.hasOwn(formatOfType, type) ? formatOfType[type] : undefined;
  if (format !== undefined) return format;
  throw new Problem(
    'unsupported_media_type',
    `Say what the body is, with format=${importFormats.join(' | ')} or the Content-Type ${Object.keys(formatOfType).join(', ')}.`,
  );
}

/** What was written until then stays: the refusal says how much that is. */
function endedEarly(error: unknown, imported: number): unknown {
  const soFar = `${imported} documents were imported before that, and stay.`;
  if (error instanceof UnreadableTextError)
    return new Problem('bad_request', `${error.message} ${soFar}`, { cause: error });
  if (!(error instanceof Problem) || imported === 0) return error;
  const { code, detail, errors, headers } = error;
  return new Problem(code, `${detail} ${soFar}`, { errors, headers, cause: error });
}

/** Lets a page of another origin read these headers, too. */
function expose(response: Response, names: string): void {
  const present = response.getHeader('Access-Control-Expose-Headers');
  if (present !== undefined) response.setHeader('Access-Control-Expose-Headers', `${present}, ${names}`);
}

async function* none(): AsyncGenerator<string> {}

/** A refusal of a taken id would tell of documents that are not there for the user. */
function keepsNoIds(): Problem {
  return new Problem(
    'forbidden',
    'The user may not keep ids in this collection: its rule does not show all documents.',
    {
      errors: [{ field: 'keepIds', message: 'not for users who are bound by a rule', allowed: 'no keepIds' }],
    },
  );
}

function tooManyExports(): Problem {
  return new Problem('too_many_requests', `${exportsLimit} exports run already. Try again when one is done.`, {
    headers: { 'Retry-After': '5' },
  });
}
