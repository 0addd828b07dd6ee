/**
 * Prisma's own schema engine as WebAssembly, so that no engine binary is ever downloaded. The package is made for bundlers; this
 * loads it in Node. Source of the calls: `schema_engine.d.ts` of `@prisma/schema-engine-wasm`, whose version must be the one that
 * the installed `prisma` names (`@prisma/engines` → `@prisma/engines-version`).
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { PrismaPg } from '@prisma/adapter-pg';
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import type { SchemaEngine } from '@prisma/schema-engine-wasm';
import * as bindings from '@prisma/schema-engine-wasm/schema_engine_bg';
import pg from 'pg';

type Exports = Record<string, unknown>;

/** The part of the WebAssembly interface that is needed; Node's types leave it to the DOM library. */
const { WebAssembly: wasm } = globalThis as unknown as {
  WebAssembly: {
    instantiate(bytes: Uint8Array, imports: Record<string, unknown>): Promise<{ instance: { exports: Exports } }>;
  };
};

type Bindings = typeof bindings & {
  __wbg_set_wasm(exports: Exports): void;
  SchemaEngine: typeof SchemaEngine;
};

/**
 * Prisma's adapter cuts a script at every semicolon, also within a function's body. Postgres takes the whole script as one simple
 * query, in one implicit transaction, so that a migration that fails leaves nothing behind.
 */
class WholeScriptPg extends PrismaPg {
  override async connect(): ReturnType<PrismaPg['connect']> {
    const adapter = await super.connect();
    adapter.executeScript = async (script) => {
      await adapter.underlyingDriver().query(script);
    };
    return adapter;
  }
}

let loading: Promise<typeof SchemaEngine> | undefined;

async function load(): Promise<typeof SchemaEngine> {
  const glue = createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm/schema_engine_bg');
  const bytes = await readFile(glue.replace(/\.js$/, '.wasm'));
  const engine = bindings as Bindings;
  const { instance } = await wasm.instantiate(bytes, { './schema_engine_bg.js': engine });
  engine.__wbg_set_wasm(instance.exports);
  (instance.exports as unknown as { __wbindgen_start(): void }).__wbindgen_start();
  return engine.SchemaEngine;
}

/** Runs `use` with an engine on the Postgres of `config`; the engine and its connections are freed afterwards. */
export async function withSchemaEngine<T>(
  config: pg.PoolConfig,
  options: { schema?: string },
  use: (engine: SchemaEngine) => Promise<T>,
): Promise<T> {
  loading ??= load();
  const Engine = await loading;
  const pool = new pg.Pool({ ...config, max: 2 });
  const factory = bindMigrationAwareSqlAdapterFactory(new WholeScriptPg(pool));
  const datamodels: [string, string][] | undefined = options.schema ? [['schema.prisma', options.schema]] : undefined;
  try {
    const engine = await Engine.new({ datamodels }, () => undefined, factory);
    try {
      return await use(engine);
    } finally {
      engine.free();
    }
  } finally {
    await pool.end();
  }
}
