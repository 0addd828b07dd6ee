/** The frame of an Express app: the routers that it is composed of, then what no route took, then the errors. */
import express, { type Express, type RequestHandler } from 'express';
import { closeAfterAnswer } from './body-time.js';
import { createProblemHandler, notFoundHandler, type ProblemHandlerOptions } from './problem-handler.js';

export type HttpAppOptions = ProblemHandlerOptions & {
  /** In the order in which they are asked. Each lets what is not its own fall through. */
  handlers: readonly RequestHandler[];
  /** Express's `trust proxy`: how many proxies before us are believed in `X-Forwarded-*`. Default none. */
  trustProxy?: number | boolean | string;
};

/** The app; it does not listen. */
export function createHttpApp({ handlers, trustProxy = false, ...problems }: HttpAppOptions): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', 'simple');
  app.set('trust proxy', trustProxy);
  app.set('case sensitive routing', true);
  app.use(closeAfterAnswer, ...handlers, notFoundHandler, createProblemHandler(problems));
  return app;
}
