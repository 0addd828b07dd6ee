/** Commands and code that work against this host as they stand, once a key is put in. */

export const keyPlaceholder = 'YOUR_KEY';

export type Snippet = {
  id: 'write' | 'listen' | 'browser' | 'publish';
  label: string;
  explanation: string;
  code: string;
};
export type SnippetParts = { origin: string; key?: string; collection?: string };

/** The first steps with a key: write a document, hear it in a terminal, hear it in a page, publish an event of one's own. */
export function firstSteps({ origin, key = keyPlaceholder, collection = 'company' }: SnippetParts): Snippet[] {
  return [
    {
      id: 'listen',
      label: 'Listen',
      explanation: 'Opens the event stream in a terminal. Leave it running and write in another one.',
      code: `curl -N '${origin}/realtime' \\\n  -H 'x-apikey: ${key}'`,
    },
    {
      id: 'write',
      label: 'Write',
      explanation: `Creates a document in ${collection}. The stream hears it as soon as it is committed.`,
      code: `curl '${origin}/rest/${collection}' \\\n  -H 'x-apikey: ${key}' \\\n  -H 'content-type: application/json' \\\n  -d '{"name": "Acme"}'`,
    },
    {
      id: 'browser',
      label: 'In a page',
      explanation: 'EventSource reconnects by itself and misses nothing. The key must allow the origin of your page.',
      code: `const source = new EventSource('${origin}/realtime?apikey=${key}');\nsource.addEventListener('post', (event) => {\n  const { collection, data } = JSON.parse(event.data);\n  console.log('created in', collection, data);\n});`,
    },
    {
      id: 'publish',
      label: 'Publish',
      explanation: 'Sends an event of your own to everyone who may hear its name.',
      code: `curl '${origin}/realtime' \\\n  -H 'x-apikey: ${key}' \\\n  -H 'content-type: application/json' \\\n  -d '{"event": "chat.message", "data": {"text": "hello"}}'`,
    },
  ];
}
