/** What every admin route of a database does before its work: the session, then the database of the path. */
import type { AdminGate } from '@tidewire/access/admin-gate';
import type { AdminPrincipal } from '@tidewire/access/principal';
import type { Catalog, CatalogDatabase } from '@tidewire/db/catalog';
import { databaseNamePattern } from '@tidewire/protocol/names';
import { Problem } from '@tidewire/protocol/problem';
import type { Request, RequestHandler, Response } from 'express';

/** The work of a route, for an admin, within the database of the path's `:database`. */
export type DatabaseWork = (
  database: CatalogDatabase,
  request: Request,
  response: Response,
  admin: AdminPrincipal,
) => Promise<void>;

/** Makes an Express handler of the work. Refusals (401, 404) are passed on before it begins. */
export function createDatabaseRoute({ adminGate, catalog }: { adminGate: AdminGate; catalog: Catalog }) {
  return (work: DatabaseWork): RequestHandler =>
    adminGate(async (admin, request, response) => {
      const name = String(request.params.database);
      const database = databaseNamePattern.test(name) ? await catalog.byName(name) : null;
      if (database === null) throw new Problem('not_found', 'There is no database with this name.');
      await work(database, request, response, admin);
    });
}
