/** The rules of the house that no linter holds; CONTRIBUTING.md lists them. Everything is read from the files of the repository. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../../', import.meta.url));
/** What git ignores, and git's own. */
const notOurs = new Set(['.git', '.turbo', 'node_modules', 'dist', 'generated', 'data', 'test-results', 'results']);
const isTest = (path: string) => /\.(test|contract|fixture|e2e|bench)\.tsx?$/.test(path);

function* filesBelow(folder: string): Generator<string> {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && !notOurs.has(entry.name)) yield* filesBelow(path);
    else if (entry.isFile()) yield path;
  }
}

const shown = (path: string) => relative(root, path).replaceAll('\\', '/');
const textOf = (path: string) => readFileSync(path, 'utf8');
const lineOf = (text: string, index: number) => text.slice(0, index).split('\n').length;

type Dependencies = Record<string, string>;
type Manifest = { name: string; dependencies?: Dependencies; devDependencies?: Dependencies };
type Workspace = { folder: string; manifest: Manifest };

const readManifest = (folder: string): Manifest => JSON.parse(textOf(join(folder, 'package.json')));
const rootManifest = readManifest(root);
const workspaces: Workspace[] = ['packages', 'apps', '.']
  .flatMap((parent) => readdirSync(join(root, parent)).map((name) => join(root, parent, name)))
  .filter((folder) => existsSync(join(folder, 'package.json')))
  .map((folder) => ({ folder, manifest: readManifest(folder) }));
const shippedWorkspaces = workspaces.filter(({ manifest }) => !/\/(testing|e2e|bench)$/.test(manifest.name));

/** Only files that people write: no lockfile, no pictures. */
const writtenFiles = [...filesBelow(root)].filter((path) =>
  /\.(ts|tsx|mjs|js|json|md|yml|yaml|css|html|sql|prisma|conf|svg)$|Dockerfile|\.env\.example/.test(path),
);
const sources = writtenFiles.filter((path) => /\.(ts|tsx|mjs|js)$/.test(path));

type Import = { packageName: string; isTypeOnly: boolean };

/** What a source imports from packages: static, dynamic, re-exported, resolved for its folder, and `@import` of a stylesheet. */
function importsOf(text: string): Import[] {
  const pattern =
    /^\s*(?:import|export)\s+(type\s)?(?:[^'"();]*?\sfrom\s+)?['"]([^'"]+)['"]|\b(?:import|resolve)\(\s*['"]([^'"]+)['"]|@import\s+['"]([^'"]+)['"]/gm;
  return [...text.matchAll(pattern)].flatMap(([, type, from, called, css]) => {
    const specifier = from ?? called ?? css ?? '';
    if (specifier.startsWith('.') || specifier.startsWith('node:') || specifier.startsWith('/')) return [];
    const packageName = /^(@[\w-]+\/)?[\w.-]+(?=\/|$)/.exec(specifier)?.[0];
    return packageName === undefined ? [] : [{ packageName, isTypeOnly: type !== undefined }];
  });
}

/** Imports of a workspace's own code, and of the code that is generated into it; not of its tests. */
function importsOfWorkspace({ folder }: Workspace): Import[] {
  const files = ['src', 'src/generated', 'bin'].flatMap((name) => [...filesBelow(join(folder, name))]);
  return files
    .filter((path) => /\.(ts|tsx|js|css)$/.test(path) && !isTest(path))
    .flatMap((path) => importsOf(textOf(path)));
}

describe('the workspaces', () => {
  it.each(shippedWorkspaces)('$manifest.name depends on exactly the packages that its sources import', (workspace) => {
    const { dependencies = {}, devDependencies = {} } = workspace.manifest;
    const imports = importsOfWorkspace(workspace);
    const imported = new Set(imports.map(({ packageName }) => packageName));
    const isBundled = existsSync(join(workspace.folder, 'vite.config.ts'));
    const missing = imports.filter(({ packageName, isTypeOnly }) => {
      if (packageName in dependencies) return false;
      const isForTheBuild = packageName in devDependencies || `@types/${packageName}` in devDependencies;
      return !(isForTheBuild && (isTypeOnly || isBundled) && !packageName.startsWith('@tidewire/'));
    });
    expect({
      missing: [...new Set(missing.map(({ packageName }) => packageName))],
      unused: Object.keys(dependencies).filter((name) => !imported.has(name)),
    }).toEqual({ missing: [], unused: [] });
  });

  it('name one exact version of each package, the same everywhere', () => {
    const versions = new Map<string, string>();
    const wrong: string[] = [];
    for (const { manifest } of [...workspaces, { manifest: rootManifest }]) {
      for (const [name, version] of Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })) {
        const isExact = name.startsWith('@tidewire/') ? version === '*' : /^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version);
        const isSame = (versions.get(name) ?? version) === version;
        versions.set(name, version);
        if (!isExact || !isSame) wrong.push(`${manifest.name}: ${name}@${version}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it('use only packages that run on Node 20.19, their own dependencies included', () => {
    const lock: { packages: Record<string, LockEntry> } = JSON.parse(textOf(join(root, 'package-lock.json')));
    const wrong = [...productionPackages(lock.packages)].filter((path) => {
      const range = lock.packages[path]?.engines?.node;
      return range !== undefined && !admits(range, [20, 19, 0]);
    });
    expect(wrong).toEqual([]);
  });

  it.each<[string, boolean]>([
    ['>=18', true],
    ['>= 20.19.0', true],
    ['^20.19.0 || ^22.13.0 || >=24', true],
    ['20.x', true],
    ['>=18 <21', true],
    ['*', true],
    ['>=20.20', false],
    ['^22.12.0 || >=24', false],
    ['>=22.0.0', false],
    ['18 || 22', false],
  ])('read the range %s', (range, isAdmitted) => {
    expect(admits(range, [20, 19, 0])).toBe(isAdmitted);
  });

  it('are locked for every platform, so that npm ci works on each', () => {
    const lock: { packages: Record<string, LockEntry> } = JSON.parse(textOf(join(root, 'package-lock.json')));
    const missing = Object.entries(lock.packages).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter(
        (name) => !(`node_modules/${name}` in lock.packages) && !(`${path}/node_modules/${name}` in lock.packages),
      ),
    );
    expect(missing).toEqual([]);
  });

  it('have the schema engine of the very version that prisma names', () => {
    const engine = readManifest(join(root, 'packages/db')).dependencies?.['@prisma/schema-engine-wasm'];
    const named = JSON.parse(textOf(join(root, 'node_modules/@prisma/engines-version/package.json'))).version;
    expect(engine).toBe(named);
  });
});

type LockEntry = {
  link?: boolean;
  engines?: { node?: string };
  dependencies?: Dependencies;
  optionalDependencies?: Dependencies;
};

/** Paths in the lockfile of all that the shipped workspaces need to run. */
function productionPackages(entries: Record<string, LockEntry>): Set<string> {
  const found = new Set<string>();
  const visit = (from: string, name: string): void => {
    for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/node_modules/')))) {
      const path = at === '' ? `node_modules/${name}` : `${at}/node_modules/${name}`;
      const entry = entries[path];
      if (entry !== undefined) {
        if (entry.link || found.has(path)) return;
        found.add(path);
        for (const next of Object.keys({ ...entry.dependencies, ...entry.optionalDependencies })) visit(path, next);
        return;
      }
      if (at === '') return;
    }
  };
  for (const { folder, manifest } of shippedWorkspaces) {
    for (const name of Object.keys(manifest.dependencies ?? {})) visit(shown(folder), name);
  }
  return found;
}

/** Whether an `engines` range has the version: `||` between alternatives of `>=`, `^`, `~`, `<`, `x` and bare numbers. */
function admits(range: string, version: readonly [number, number, number]): boolean {
  return range.split('||').some((alternative) => {
    const parts = [...alternative.matchAll(/(>=|<=|>|<|\^|~|=)?\s*v?(\d+|\*|x)(?:\.(\d+|\*|x))?(?:\.(\d+|\*|x))?/g)];
    return parts.every(([, operator = '=', ...numbers]) => {
      const wanted = numbers.map((text) => (text === undefined || /[x*]/.test(text) ? null : Number(text)));
      const isSameUpTo = (length: number) =>
        wanted.slice(0, length).every((number, index) => number === null || number === version[index]);
      const first = version.findIndex((number, index) => number !== (wanted[index] ?? number));
      const order = first < 0 ? 0 : Math.sign((version[first] ?? 0) - (wanted[first] ?? 0));
      if (operator === '^') return isSameUpTo(1) && order >= 0;
      if (operator === '~') return isSameUpTo(2) && order >= 0;
      if (operator === '=') return isSameUpTo(3);
      if (order === 0) return operator.endsWith('=');
      return operator.startsWith('>') ? order > 0 : order < 0;
    });
  });
}

describe('the sources', () => {
  it('never hand a text to Postgres as a statement by way of Prisma', () => {
    expect(findAll(/\$(queryRaw|executeRaw)(Unsafe)\b/g, sources)).toEqual([]);
  });

  it('say what each export of the protocol is', () => {
    const files = sources.filter((path) => shown(path).startsWith('packages/protocol/src/') && !isTest(path));
    const undocumented = files.flatMap((path) => {
      const lines = textOf(path).split('\n');
      return lines.flatMap((line, index) => {
        if (!/^export (async function|function|class|const|type|interface)\b/.test(line)) return [];
        const isNamedAfterItsSchema = /= z\.infer<typeof \w+>;$/.test(line);
        return isNamedAfterItsSchema || lines[index - 1]?.endsWith('*/') ? [] : [`${shown(path)}:${index + 1}`];
      });
    });
    expect(undocumented).toEqual([]);
  });

  it('say what each file of a package is, at its top or above its first export', () => {
    const files = sources.filter((path) => /^packages\/[\w-]+\/src\//.test(shown(path)) && !isTest(path));
    const silent = files.filter((path) => {
      const text = textOf(path);
      const firstExport = text.search(/^export /m);
      return firstExport >= 0 && !/^(\/\*\*|\/\/)/.test(text) && !text.slice(0, firstExport).trimEnd().endsWith('*/');
    });
    expect(silent.map(shown)).toEqual([]);
  });

  it('hold no note of work that is still to be done', () => {
    expect(findAll(/\b(TO|FIX)(DO|ME)\b/g, sources)).toEqual([]);
  });
});

describe('every written file', () => {
  it('names no folder of one machine', () => {
    const ownFolder = root.replace(/[\\/]$/, '');
    const isTelling = ownFolder.split(/[\\/]/).filter(Boolean).length > 1;
    const own = isTelling ? [escapeForRegExp(ownFolder)] : [];
    const pattern = new RegExp(['/(home|Users)/[\\w.-]+/', 'C:\\\\+Users\\\\', ...own].join('|'), 'g');
    expect(findAll(pattern, writtenFiles)).toEqual([]);
  });

  it('leaves it to npm where packages come from', () => {
    const host = /"resolved": "https?:|^\s*(@[\w-]+:)?registry\s*=/gm;
    const files = ['package-lock.json', '.npmrc'].map((name) => join(root, name));
    expect(findAll(host, files)).toEqual([]);
  });

  it('of the workflows names actions by commit', () => {
    const workflows = writtenFiles.filter((path) => shown(path).startsWith('.github/workflows/'));
    const uses = workflows.flatMap((path) =>
      [...textOf(path).matchAll(/uses: (.+)$/gm)].map(([, action = '']) => action),
    );
    expect(uses.length).toBeGreaterThan(0);
    expect(uses.filter((action) => !/^[\w-]+\/[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(action))).toEqual([]);
  });
});

describe('the documentation', () => {
  it('links only to files that are there', () => {
    const pages = writtenFiles.filter((path) => path.endsWith('.md'));
    const broken = pages.flatMap((path) =>
      [...textOf(path).matchAll(/\]\((?!https?:|mailto:|#)([^)\s#]+)(#[^)\s]*)?\)/g)]
        .map(([, target = '']) => target)
        .filter((target) => !existsSync(resolve(dirname(path), target)))
        .map((target) => `${shown(path)} → ${target}`),
    );
    expect(broken).toEqual([]);
  });

  it('names only sources that are there', () => {
    const pages = writtenFiles.filter((path) => path.endsWith('.md'));
    const gone = pages.flatMap((path) =>
      [...textOf(path).matchAll(/`((?:apps|packages|prisma|scripts|e2e|bench|deploy|docs)\/[\w./-]+)`/g)]
        .map(([, target = '']) => target)
        .filter((target) => !existsSync(join(root, target)))
        .map((target) => `${shown(path)} → ${target}`),
    );
    expect(gone).toEqual([]);
  });

  it('lists every option on its front page', () => {
    const table = textOf(join(root, 'apps/tidewire/src/config.ts'));
    const names = [...table.matchAll(/env: '(\w+)'/g)].map(([, name = '']) => name);
    expect(names.length).toBeGreaterThan(5);
    const readme = textOf(join(root, 'README.md'));
    expect(names.filter((name) => !readme.includes(`\`${name}\``))).toEqual([]);
  });
});

function escapeForRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

function findAll(pattern: RegExp, files: readonly string[]): string[] {
  return files.filter(existsSync).flatMap((path) => {
    const text = textOf(path);
    return [...text.matchAll(pattern)].map((match) => `${shown(path)}:${lineOf(text, match.index)} ${match[0].trim()}`);
  });
}
