/** The pages of the seed documents, on a web server of somebody else: what a page says of host and key is changed, and nothing else. */
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where the pages are. */
export const pagesFolder = fileURLToPath(new URL('pages/', import.meta.url));

const types: Record<string, string> = { '.html': 'text/html', '.css': 'text/css', '.js': 'text/javascript' };

export type Site = {
  /** Its origin, without a slash at the end. */
  readonly origin: string;
  /** From now on each of these words stands as its value in every page and script. */
  change(words: Record<string, string>): void;
  close(): void;
};

/** Serves the files of a folder, and of the folder of the pages. */
export async function startSite(folder = pagesFolder): Promise<Site> {
  let changes: [string, string][] = [];
  const server = createServer(async (request, response) => {
    const path = normalize(new URL(request.url ?? '/', 'http://site').pathname);
    const bytes = (await read(join(folder, path))) ?? (await read(join(pagesFolder, path)));
    if (bytes === null) return response.writeHead(404).end();
    response.setHeader('Content-Type', `${types[extname(path)] ?? 'application/octet-stream'}; charset=utf-8`);
    response.end(changed(bytes, changes));
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    change(words) {
      changes = Object.entries(words);
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** A page's text with those words changed. Throws when it lacks one: a document's address that is not there was not tested. */
export async function pageText(name: string, words: Record<string, string>): Promise<string> {
  const text = await readFile(join(pagesFolder, name), 'utf8');
  for (const word of Object.keys(words)) if (!text.includes(word)) throw new Error(`${name} does not say ${word}`);
  return changed(text, Object.entries(words));
}

async function read(path: string): Promise<string | null> {
  return readFile(path, 'utf8').catch(() => null);
}

function changed(text: string, changes: readonly [string, string][]): string {
  return changes.reduce((now, [from, to]) => now.replaceAll(from, to), text);
}
