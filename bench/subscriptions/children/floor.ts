/**
 * The floor: a plain `ws` server that sends the same bytes to all of its sockets, and knows nothing of GraphQL. Told by
 * messages what to send and when (FloorOrder).
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { now } from '../clock.js';
import { atRate } from '../pace.js';
import type { FloorOrder } from '../stage.js';
import { obey } from '../talk.js';

const server = createServer();
const sockets = new WebSocketServer({ server, perMessageDeflate: false });
let texts: Buffer[] = [];
let sent = 0;

function broadcast(): number {
  const at = now();
  const bytes = texts[sent++ % texts.length] as Buffer;
  for (const client of sockets.clients)
    if (client.readyState === client.OPEN) client.send(bytes, { binary: false });
  return at;
}

obey<FloorOrder>(async (order) => {
  switch (order.kind) {
    case 'listen': {
      await once(server.listen({ port: 0, host: '127.0.0.1', backlog: 10_000 }), 'listening');
      return (server.address() as AddressInfo).port;
    }
    case 'texts':
      texts = order.texts.map((text) => Buffer.from(text));
      return undefined;
    case 'send':
      return broadcast();
    case 'run':
      return atRate(order.perSecond, order.times, async () => broadcast());
  }
});
