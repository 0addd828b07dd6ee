/** The page of `GET /rest/_jsapi.doc`: how the script is used, with the names of the collections of a key. */
import { propertiesOf, type ScriptReach } from './restdb-script.js';

/** The page's one stylesheet, which stands inline: a content security policy can allow it by its hash. */
export const documentationStyle =
  'body{max-width:46rem;margin:2rem auto;padding:0 1rem;font:16px/1.5 system-ui,sans-serif;color:#1a1a1a;background:#fff}' +
  'pre{padding:.75rem 1rem;overflow-x:auto;background:#f3f4f6}code{font:.9em ui-monospace,monospace}';

/** `url` is the server's address as the browser sees it, without a slash at the end. HTML that holds no script and loads nothing. */
export function writeRestdbDocumentation({ url, ...reach }: ScriptReach & { url: string }): string {
  const sections = propertiesOf(reach.collections).map(({ name, property }) => describeCollection(name, property));
  const others = reach.isOpen
    ? '<p>Every other collection is there under its name, too, also one that has no document yet.</p>'
    : '';
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Tidewire: JavaScript API</title>
<style>${documentationStyle}</style>
</head>
<body>
<h1>JavaScript API</h1>
<p>A script for pages of browsers, with the calls of restdb.io's. It needs no other script.</p>
${code(`<script src="${url}/rest/_jsapi.js?apikey=KEY"></script>
<script>
  const db = new restdb('KEY', { realtime: true });
</script>`)}
<p>The key needs the origin of the page in its list of origins. Without a key the script has no collections of its own, and takes any property of
<code>db</code> for one.</p>
<h2>Options</h2>
<dl>
<dt><code>url</code></dt><dd>the address of the server; that of the script unless given</dd>
<dt><code>realtime</code></dt><dd><code>true</code>: the stream of events is opened at once, else with the first <code>on</code>; <code>false</code>: never</dd>
<dt><code>reconnectdelay</code></dt><dd>milliseconds before a stream that the browser gave up is opened again; 5000 unless given</dd>
<dt><code>logging</code></dt><dd><code>true</code>: requests and events are written to the console</dd>
<dt><code>jwt</code></dt><dd><code>true</code>: the key is sent as a bearer token</dd>
</dl>
<h2>Outcomes</h2>
<p>A callback is called with <code>(error, result)</code>. An error has <code>message</code>, <code>name</code>, <code>status</code>, <code>list</code> and
<code>code</code>; its status is 0 when there was no answer. Without a callback each call gives a promise.</p>
<h2>Events</h2>
${code(`db.on('POST', function (error, event) {});   // { event: 'post', collection, data: the document }
db.on('PUT', function (error, event) {});    // { event: 'put', collection, data: its _id }; PATCH is the same
db.on('DELETE', function (error, event) {}); // { event: 'delete', collection, data: [_id] }
db.on('GOAL', function (error, event) {});   // a custom event: { event: 'GOAL', data }
db.on('CONNECT', function () {});            // and DISCONNECT, RECONNECT
db.on('RENAME', function (error, event) {}); // a collection: { event: 'rename', collection, data: its new name }; and DROP
db.on('RESET', function () {});              // events were missed for good: read again what you show
db.publish('GOAL', { by: 'Ada' }, function (error, result) {});`)}
<p><code>on</code> gives a function that takes the callback back; <code>db.close()</code> ends the stream. When the server refuses the stream, each
callback is called with the error.</p>
<h2>Collections</h2>
<p>In <code>db</code> names stand without <code>_</code> and <code>-</code>; <code>db.collection(name)</code> takes any name as it is.</p>
${others}
${sections.join('\n')}
</body>
</html>
`;
}

function describeCollection(name: string, property: string): string {
  const its = `db.${property}`;
  return `<h3 id="${escapeHtml(name)}">${escapeHtml(name)}</h3>
${code(`${its}.find({ name: 'Ada' }, { $max: 10 }, function (error, documents, pagination) {});
${its}.getById(id, function (error, document) {});
${its}.on('POST', function (error, event) {});

const document = new ${its}({ name: 'Ada' });
document.save(function (error, document) {});   // creates it, or changes it when it has an _id
document.reload(function (error, document) {});
document.delete(function (error, id) {});
document.on('PUT', function (error, event) {});`)}`;
}

function code(text: string): string {
  return `<pre><code>${escapeHtml(text)}</code></pre>`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
