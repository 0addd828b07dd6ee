/** What routers for applications need so that pages of other origins can use them and read why they were refused. */
import type { ErrorRequestHandler, RequestHandler } from 'express';
import { allowReadingRefusal, answerPreflight, isPreflight } from './cors.js';

/** Answers a browser's preflight and lets everything else pass; the first handler of a router. */
export const preflight: RequestHandler = (request, response, next) => {
  if (isPreflight(request)) answerPreflight(response);
  else next();
};

/** Lets a page read its refusal; the last handler of a router. */
export const readableRefusal: ErrorRequestHandler = (error, request, response, next) => {
  allowReadingRefusal(error, request, response);
  next(error);
};
