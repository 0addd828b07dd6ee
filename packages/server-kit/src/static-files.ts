/** Serves the built dashboard. */
import { join } from 'node:path';
import express, { type RequestHandler, Router } from 'express';
import { createPageHeaders } from './page-headers.js';

export type StaticFilesOptions = {
  /** The folder with `index.html` and `assets/`. */
  folder: string;
};

/**
 * Files under `assets/` carry a hash in their names and may be kept for ever; `index.html` is asked for each time. A page that a browser navigates to
 * and that is no file is `index.html`, too: the dashboard's router knows it. What is neither falls through to the next handler.
 * To be mounted after every route of the API.
 */
export function createStaticFiles({ folder }: StaticFilesOptions): RequestHandler {
  const router = Router();
  router.use(createPageHeaders());
  router.use(
    '/assets',
    express.static(join(folder, 'assets'), { immutable: true, maxAge: '365d', index: false, redirect: false }),
  );
  router.use(
    express.static(folder, {
      maxAge: 0,
      cacheControl: false,
      setHeaders: (response) => response.setHeader('Cache-Control', 'no-cache'),
    }),
  );
  router.use((request, response, next) => {
    if (!isNavigation(request.method, request.path, request.headers.accept)) return next();
    response.sendFile(
      'index.html',
      { root: folder, cacheControl: false, headers: { 'Cache-Control': 'no-cache' } },
      (error) => {
        // Without index.html the dashboard was not built: then the page is not there, which the next handler says.
        if (error && !response.headersSent) next();
      },
    );
  });
  return router;
}

/** A page, not a file: a browser wants HTML, and the last part of the path has no ending. */
function isNavigation(method: string, path: string, accept: string | undefined): boolean {
  return (
    (method === 'GET' || method === 'HEAD') &&
    !path.startsWith('/assets/') &&
    (accept ?? '').includes('text/html') &&
    !/\.[^/]*$/.test(path)
  );
}
