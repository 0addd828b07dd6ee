/** The part of the WebAssembly JavaScript interface that `schema-engine.ts` uses; Node's types leave it to the DOM library. */
declare namespace WebAssembly {
  type Exports = Record<string, unknown>;
  type Imports = Record<string, Record<string, unknown>>;
  function instantiate(bytes: Uint8Array, imports: Imports): Promise<{ instance: { exports: Exports } }>;
}
