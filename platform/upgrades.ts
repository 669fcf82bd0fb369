import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';

type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/**
 * Hands upgrades of `path` to WebSocket to `accept`, and answers those of other paths with 404. A request
 * that offers another protocol (h2c, as Java's HttpClient does unless told not to) is served as if it had
 * offered none, which RFC 9110, 7.8, allows: node leaves an upgrade to its listener, whatever it is to.
 * @returns what ends it
 */
export function listenForUpgrades(server: Server, path: string, accept: Upgrade): () => void {
  const listener: Upgrade = (request, socket, head) => {
    if (request.headers.upgrade?.toLowerCase() !== 'websocket') serveAsHttp(server, request, socket, head);
    else if (request.url?.split('?')[0] === path) accept(request, socket, head);
    else notFound(socket, path);
  };
  server.on('upgrade', listener);
  return () => server.off('upgrade', listener);
}

/**
 * Gives the connection back to the server as a new one, whose first request is this without its offer. Node
 * has read no further than the header, so only the server's own parser can tell what of `head` is the body.
 */
function serveAsHttp(server: Server, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const { method, url, httpVersion, rawHeaders } = request;
  let text = `${method} ${url} HTTP/${httpVersion}\r\n`;
  for (let n = 0; n < rawHeaders.length; n += 2)
    if (rawHeaders[n]?.toLowerCase() !== 'upgrade') text += `${rawHeaders[n]}: ${rawHeaders[n + 1]}\r\n`;
  socket.unshift(Buffer.concat([Buffer.from(`${text}\r\n`, 'latin1'), head]));
  server.emit('connection', socket);
}

function notFound(socket: Duplex, path: string): void {
  const message = `There is no WebSocket here; GraphQL is at ${path}.`;
  const body = JSON.stringify({ errors: [{ message, extensions: { code: 'NOT_FOUND' } }] });
  // Node listens to it no longer, and an error that nobody listens to ends the process.
  socket.on('error', () => socket.destroy());
  socket.once('finish', () => socket.destroy());
  socket.end(
    [
      'HTTP/1.1 404 Not Found',
      'Connection: close',
      'Content-Type: application/json; charset=utf-8',
      `Content-Length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n'),
  );
}
