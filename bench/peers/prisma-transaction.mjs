/**
 * The usual way with Prisma: one interactive transaction for each write (lock and raise the counter, insert the document, insert the
 * event, commit), behind the same Express route, on the same kind of Postgres. It stores what Tidewire stores and answers as it does.
 * Argument: `{"address", "databaseId", "collectionId"}` as JSON. It writes its port on its first line.
 */
import { randomUUID } from 'node:crypto';
import { PrismaPg } from '@prisma/adapter-pg';
import { PrismaClient } from '@tidewire/db/generated/client';
import { createSqlPool } from '@tidewire/db/sql-pool';
import express from 'express';

const { address, databaseId, collectionId } = JSON.parse(process.argv[2]);
const pool = createSqlPool(address, {
  max: 16,
  onError: (error) => console.error(error),
  sessionOptions: '-c tidewire.lane=on',
});
const prisma = new PrismaClient({ adapter: new PrismaPg(pool) });
/** Nobody is turned away while all connections are busy. */
const patience = { maxWait: 20_000, timeout: 20_000 };

const app = express();
app.disable('x-powered-by');
app.disable('etag');
app.use(express.json());
app.post('/rest/company', async (request, response) => {
  const at = new Date();
  const id = randomUUID().replaceAll('-', '').slice(0, 24);
  const body = JSON.stringify(request.body);
  const meta = {
    _created: at,
    _changed: at,
    _createdby: 'api',
    _changedby: 'api',
    _version: 0,
    _keywords: [],
    _tags: '',
  };
  const whole = JSON.stringify({ _id: id, ...request.body, ...meta });
  const eventId = await prisma.$transaction(async (tx) => {
    const [head] =
      await tx.$queryRaw`UPDATE log_heads SET head = head + 1 WHERE database_id = ${databaseId} RETURNING head`;
    await tx.$executeRaw`INSERT INTO documents
        (collection_id, id, body, data, version, created_at, changed_at, created_by, changed_by)
      VALUES (${collectionId}, ${id}, ${body}::json, ${body}::jsonb, 0, ${at}, ${at}, 'api', 'api')`;
    await tx.$executeRaw`INSERT INTO events
        (database_id, id, type, collection_id, collection, document_id, after, actor, operation_id, at)
      VALUES (${databaseId}, ${head.head}, 'post', ${collectionId}, 'company', ${id}, ${whole}::json, 'key:bench',
        ${randomUUID()}::uuid, ${at})`;
    return head.head;
  }, patience);
  response.writeHead(201, {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(whole),
    'X-Event-Id': String(eventId),
  });
  response.end(whole);
});

const server = app.listen(0, '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`));
process.on('SIGTERM', async () => {
  server.close();
  server.closeAllConnections();
  await prisma.$disconnect();
  await pool.end();
  process.exit(0);
});
