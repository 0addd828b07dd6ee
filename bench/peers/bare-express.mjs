/**
 * The limit of HTTP with Express 5: a route that reads nothing and answers every POST with 201, in a process of its own. Status, header
 * lines and body are those that it is given: a real answer of Tidewire. Argument: `{"headers": [name, value, …], "body": text}` as JSON.
 * It writes its port on its first line.
 */
import express from 'express';

const { headers, body } = JSON.parse(process.argv[2]);
const app = express();
app.disable('x-powered-by');
app.disable('etag');
app.post('/rest/company', (_request, response) => {
  response.writeHead(201, headers);
  response.end(body);
});

const server = app.listen(0, '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`));
process.on('SIGTERM', () => process.exit(0));
