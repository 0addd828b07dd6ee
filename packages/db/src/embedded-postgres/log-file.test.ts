import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { shorten } from './log-file.js';

test('a log that is too long is kept as .1 and emptied; one that is not stays', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tw-log-'));
  const file = join(folder, 'postgres.log');
  shorten(file, 10);
  writeFileSync(file, 'ten bytes!');
  shorten(file, 10);
  expect(readFileSync(file, 'utf8')).toBe('ten bytes!');
  writeFileSync(file, 'more than ten');
  shorten(file, 10);
  expect([readFileSync(file, 'utf8'), readFileSync(`${file}.1`, 'utf8')]).toEqual(['', 'more than ten']);
  rmSync(folder, { recursive: true });
});
