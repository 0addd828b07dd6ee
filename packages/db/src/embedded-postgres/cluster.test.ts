import { expect, test } from 'vitest';
import { clusterOf, plainReason, serverArguments } from './cluster.js';

test('the reason is taken from the lines that tell it, without their timestamps', () => {
  const log = `2026-11-21 07:07:09.617 UTC [1] LOG:  starting PostgreSQL 18.4
2026-11-21 07:07:09.618 UTC [1] FATAL:  could not create lock file "postmaster.pid": No space left on device
2026-11-21 07:07:09.619 UTC [1] LOG:  database system is shut down`;
  expect(plainReason(log)).toBe('FATAL:  could not create lock file "postmaster.pid": No space left on device');
  expect(plainReason('error while loading shared libraries: libicui18n.so.60')).toMatch(/libicui18n/);
  expect(plainReason('')).toBe('it did not say why');
});

test('settings of the caller come after ours, so they win; a quote in the socket folder is doubled', () => {
  const args = serverArguments(clusterOf('/data'), '/so"ck', { jit: 'on', work_mem: '8MB' });
  expect(args).toContain('unix_socket_directories="/so""ck"');
  expect(args.filter((arg) => arg.startsWith('jit='))).toEqual(['jit=on']);
  expect(args.at(-1)).toBe('work_mem=8MB');
});
