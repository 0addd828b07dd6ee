/** What the peers on node:http share. */

/** @param {import('node:http').IncomingMessage} request @returns {Promise<string>} */
export function readBody(request) {
  const chunks = [];
  return new Promise((resolve, reject) => {
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => resolve(Buffer.concat(chunks).toString()));
    request.on('error', reject);
  });
}

/** On a free port of the loopback address, which is written as the first line; until SIGTERM. */
export function listen(server) {
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () =>
    process.stdout.write(`${server.address().port}\n`),
  );
  process.on('SIGTERM', () => process.exit(0));
}
