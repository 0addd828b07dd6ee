/** Many messages at once: all requests in one write over one connection, as far as the server takes them. */
import { connect } from 'node:net';

/**
 * Resolves when each has an answer; rejects when one is refused.
 * @param {import('./targets.mjs').Target} target @param {string[]} bodies
 * @returns {Promise<void>}
 */
export function publishAtOnce({ publishUrl, publishHeaders, name }, bodies) {
  const { port, pathname } = new URL(publishUrl);
  const lines = Object.entries({ Host: `127.0.0.1:${port}`, ...publishHeaders }).map(
    ([key, value]) => `${key}: ${value}`,
  );
  const requests = bodies.map(
    (body) =>
      `POST ${pathname} HTTP/1.1\r\n${lines.join('\r\n')}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(Number(port), '127.0.0.1', () => socket.write(requests.join('')));
    socket.setTimeout(30_000, () =>
      socket.destroy(new Error(`${name} did not answer all of ${bodies.length} messages`)),
    );
    socket.on('error', reject);
    socket.on('close', () => reject(new Error(`${name} closed the connection of the publisher`)));
    socket.on('data', (bytes) => {
      text += bytes.latin1Slice();
      const statuses = [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
      if (statuses.some((status) => status >= 300)) reject(new Error(`${name} answered ${statuses.at(-1)}`));
      if (statuses.length < bodies.length) return;
      resolve();
      socket.destroy();
    });
  });
}
