import { mkdirSync, mkdtempSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { repairLibraryLinks } from './binaries.js';

let root: string;
let native: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'tw-native-'));
  native = join(root, 'native');
  mkdirSync(join(native, 'lib'), { recursive: true });
  writeFileSync(join(native, 'lib', 'liba.so.60.2'), '');
  const links = ['liba.so', 'liba.so.60'].map((name) => ({
    source: 'native/lib/liba.so.60.2',
    target: `native/lib/${name}`,
  }));
  writeFileSync(join(native, 'pg-symlinks.json'), JSON.stringify(links));
});

afterEach(() => rmSync(root, { recursive: true }));

test('links that an install script did not make, and dangling ones, are made', () => {
  symlinkSync('gone.so', join(native, 'lib', 'liba.so'));
  repairLibraryLinks(native);
  expect(readlinkSync(join(native, 'lib', 'liba.so'))).toBe('liba.so.60.2');
  expect(readlinkSync(join(native, 'lib', 'liba.so.60'))).toBe('liba.so.60.2');
  repairLibraryLinks(native);
});

test('a library that the package lacks is named', () => {
  rmSync(join(native, 'lib', 'liba.so.60.2'));
  expect(() => repairLibraryLinks(native)).toThrow(/incomplete: .*liba\.so\.60\.2 is missing.*DATABASE_URL/);
});

test('a package without a list of links needs none', () => {
  rmSync(join(native, 'pg-symlinks.json'));
  expect(() => repairLibraryLinks(native)).not.toThrow();
});
