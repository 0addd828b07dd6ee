import type { AccessGate } from '@tidewire/access/access-gate';
import { createApi } from '@tidewire/api/app';
import { routeTable } from '@tidewire/api/openapi/route-table';
import { createRealtime } from '@tidewire/realtime/app';
import { createHealthRoutes } from '@tidewire/server-kit/health';
import { expect, test } from 'vitest';

type Layer = {
  rawPath: unknown;
  route?: { path: string; methods: Record<string, boolean> };
  handle: { stack?: Layer[] };
};

/** Routers that are only looked at: no request ever comes, so nothing of what they need is called. */
const unused = new Proxy(() => unused, { get: () => unused }) as never;
const gate: AccessGate = () => () => undefined;
const deps = { ...{ accessGate: gate, adminGate: gate } };

function routers(): Layer[][] {
  const all = { get: (target: object, name: string) => Reflect.get(target, name) ?? unused };
  const api = createApi(new Proxy(deps, all) as never);
  const { router, close } = createRealtime(new Proxy(deps, all) as never);
  close();
  return [api, router, createHealthRoutes({ checks: [] })].map(({ stack }) => stack as unknown as Layer[]);
}

/** `GET /rest/{collection}` and so on. Files of the reference page are no part of the API; OPTIONS and `all` are every route's. */
function* walk(stack: readonly Layer[], prefix: string): Generator<string> {
  for (const { route, handle, rawPath } of stack) {
    if (route !== undefined) {
      const path = (prefix + route.path).replace(/(.)\/$/, '$1').replace(/:(\w+)/g, '{$1}');
      const methods = Object.keys(route.methods).filter((method) => !['_all', 'options', 'head'].includes(method));
      if (!path.startsWith('/docs/')) for (const method of methods) yield `${method.toUpperCase()} ${path}`;
    } else if (handle.stack !== undefined) {
      yield* walk(handle.stack, prefix + (rawPath === '/' ? '' : String(rawPath)));
    }
  }
}

test('every route of the server is described, and every description has its route', () => {
  const registered = new Set(routers().flatMap((stack) => [...walk(stack, '')]));
  const described = new Set(routeTable.map(({ method, path }) => `${method} ${path}`));
  expect(registered.size).toBeGreaterThan(20);
  expect({
    undescribed: [...registered].filter((route) => !described.has(route)),
    dead: [...described].filter((route) => !registered.has(route)),
  }).toEqual({ undescribed: [], dead: [] });
});
