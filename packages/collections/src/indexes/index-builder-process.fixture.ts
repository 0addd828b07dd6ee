/** A process that builds indexes until it is killed, for tests: `argv[2]` is the address of Postgres as JSON. */
import { connectPostgres } from '@tidewire/db/client';
import type { PostgresAddress } from '@tidewire/db/sql-pool';
import { createIndexBuilder } from './index-builder.js';

const address: PostgresAddress = JSON.parse(process.argv[2] ?? '');
const { pool, maintenancePool } = connectPostgres(address, { onConnectionError: () => undefined });
createIndexBuilder({ pool, maintenancePool, notify: () => undefined, onError: (error) => console.error(error) });
