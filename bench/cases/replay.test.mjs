import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countReads } from './replay.mjs';

const entry = (what) => `2026-01-01 00:00:00.000 UTC [7] LOG:  duration: 0.123 ms  ${what}\n`;
const read =
  'execute event-log-read: SELECT id, type::text AS type,\n\t  at FROM events WHERE database_id = $1 ORDER BY id';

test('reads of the log are counted out of what PostgreSQL has logged, and nothing else', () => {
  const others = [
    entry('parse event-log-read: SELECT id,\n\t at FROM events WHERE id > $2'),
    entry('execute event-log-heads: SELECT head FROM log_heads'),
    entry('execute lane: INSERT INTO events (id) VALUES ($1)'),
    "2026-01-01 00:00:00.000 UTC [7] DETAIL:  parameters: $1 = 'FROM events'\n",
  ];
  assert.equal(countReads(others.join('')), 0);
  assert.equal(countReads([entry(read), ...others, entry('statement: SELECT * FROM events'), entry(read)].join('')), 3);
});
