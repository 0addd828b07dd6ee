/**
 * Turns an HTTP response into a stream's socket: sends the headers, then lets go of the request, the response and the HTTP parser,
 * so that an idle stream costs little more than its socket.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Outbox } from './outbox.js';
import { SocketSink } from './sink.js';

/**
 * Headers of every stream: nobody may cache, transform or collect it (`X-Accel-Buffering` is nginx's switch for its proxy buffer).
 * No compression: a compressor holds back what it has not filled a block with.
 */
const streamHeaders = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  'Cache-Control': 'no-cache, no-transform',
  'X-Accel-Buffering': 'no',
};

/** A stream whose headers are on the way. */
export type StreamConnection = {
  readonly sink: SocketSink;
  /** Registers what to do when the socket has drained, and when it is gone. Call it once, at once. */
  attach(drained: () => void, closed: () => void): void;
};

/**
 * Sends the status, the headers and nothing else. After this call neither `request` nor `response` may be used. Null when the request
 * was pipelined behind one that is not answered yet: that one may be a stream, which would never let it have its turn.
 */
export function openStream(
  request: IncomingMessage,
  response: ServerResponse,
  outbox: Outbox,
): StreamConnection | null {
  const { socket } = request;
  if (response.socket !== socket) return null;
  const isChunked = request.httpVersionMajor > 1 || request.httpVersionMinor >= 1;
  socket.setKeepAlive(true, 30_000);
  socket.setNoDelay(true);
  if (!isChunked) response.shouldKeepAlive = false;
  response.writeHead(200, streamHeaders);
  response.flushHeaders();
  releaseHttp(socket, response);
  return {
    sink: new SocketSink(socket, isChunked, outbox),
    attach: (drained, closed) => attach(socket, drained, closed),
  };
}

/** Apart from `openStream`, so that the closures kept by the socket hold nothing of the request. */
function attach(socket: Socket, drained: () => void, closed: () => void): void {
  socket.on('drain', drained);
  socket.once('close', closed);
  if (socket.destroyed) closed();
}

type Parser = {
  _consumed?: boolean;
  unconsume?: () => void;
  finish?: () => void;
  remove?: () => void;
  free?: () => void;
};
type HttpSocket = Socket & { parser?: Parser | null };

const httpEvents = ['data', 'end', 'close', 'drain', 'error', 'timeout', 'pause', 'resume'];

/**
 * Does for a stream what Node's HTTP server does itself for an upgraded connection (`onParserExecuteCommon`, `unconsume` and
 * `freeParser` in lib/_http_server.js and lib/_http_common.js of Node 20, 22 and 24). These are internals: where the socket has no
 * such parser, everything stays as it was and the stream only costs more memory. What the client sends from now on is thrown away,
 * so a request that it pipelines behind can never be answered into the stream.
 */
function releaseHttp(socket: HttpSocket, response: ServerResponse): void {
  const { parser } = socket;
  if (!parser?.unconsume || !parser.remove || !parser.free) {
    response.on('error', ignore);
    return;
  }
  response.detachSocket(socket);
  for (const event of httpEvents) socket.removeAllListeners(event);
  // The server wraps these methods on each socket to notice readers; the wrappers hold the request's closures.
  socket.on = Socket.prototype.on;
  socket.addListener = Socket.prototype.addListener;
  socket.prependListener = Socket.prototype.prependListener;
  if (parser._consumed) parser.unconsume();
  socket.parser = null;
  socket.on('error', ignore);
  socket.on('end', endBoth);
  socket.resume();
  // Not within the parser's own callback, which is running now.
  setImmediate(freeParser, parser);
}

function freeParser(parser: Parser): void {
  parser.finish?.();
  for (const key of Reflect.ownKeys(parser)) Reflect.set(parser, key, null);
  // The callbacks of the C++ parser stand under small integers.
  for (let slot = 0; slot < 10; slot += 1) Reflect.set(parser, slot, null);
  parser.remove?.();
  parser.free?.();
}

/** A broken socket also closes, and that is what counts. */
function ignore(): void {}

/** The server's sockets stay half open; a client that has ended its side is gone. */
function endBoth(this: Socket): void {
  this.destroy();
}
