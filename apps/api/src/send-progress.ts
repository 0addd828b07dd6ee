/** Answers with the progress of long work while it goes on: NDJSON, a line for each step and one for the outcome. */
import type { ServerResponse } from 'node:http';
import { encodeProblem, Problem } from '@tidewire/protocol/problem';
import { apiHeaders } from '@tidewire/server-kit/api-headers';
import { requestIdOf } from '@tidewire/server-kit/request-id';

/**
 * Carries out the work and sends each of its steps as a line `{…step}`; the last line says how it ended: `{"done":true,…step}`, or
 * `{"done":false,…step,"problem":{…}}`. What the work throws before its first step is thrown on, as a refusal with its own status.
 *
 * The work goes on to its end when the client has gone; a client that does not read misses lines in between, never the last. An answer without a last
 * line was cut: then nobody knows how far the work came.
 */
export async function sendProgress(response: ServerResponse, work: AsyncIterable<object>): Promise<void> {
  const steps = work[Symbol.asyncIterator]();
  const first = await steps.next();
  response.writeHead(200, [
    'Content-Type',
    'application/x-ndjson; charset=utf-8',
    'X-Accel-Buffering',
    'no',
    ...apiHeaders,
    'X-Request-Id',
    requestIdOf(response),
  ]);
  let last: object = first.value ?? {};
  try {
    for (let step = first; step.done !== true; step = await steps.next()) {
      last = step.value;
      if (!response.writableNeedDrain) writeLine(response, last);
    }
    writeLine(response, { done: true, ...last });
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    writeLine(response, { done: false, ...last, problem: encodeProblem(error, requestIdOf(response)) });
  }
  response.end();
}

function writeLine(response: ServerResponse, line: object): void {
  if (!response.destroyed) response.write(`${JSON.stringify(line)}\n`);
}
