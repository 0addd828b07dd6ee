/** The load of `load.mjs` with autocannon, where wrk is not installed. Its one argument is the load as JSON. */
import autocannon from 'autocannon';

/** @type {any} a `Load`, or a `ReadLoad` with its paths */
const { url, headers, body, paths, firstNumber = 0, connections, seconds } = JSON.parse(process.argv[2]);
let number = firstNumber - 1;

const numbered = {
  method: 'POST',
  headers,
  setupRequest(request) {
    number += 1;
    return { ...request, body: `${body.before}${String(number).padStart(9, '0')}${body.behind}` };
  },
};

const result = await autocannon({
  url,
  connections,
  duration: seconds,
  requests: paths === undefined ? [numbered] : paths.map((path) => ({ method: 'GET', path, headers })),
});

const summary = {
  requests: result.requests.total,
  microseconds: result.duration * 1e6,
  refused: result.non2xx,
  broken: result.errors + result.timeouts,
  p50: result.latency.p50 * 1000,
  p99: result.latency.p99 * 1000,
};
process.stdout.write(`SUMMARY ${JSON.stringify(summary)}\n`);
