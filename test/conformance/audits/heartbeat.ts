import { type Audit, demand, demandSame, part } from '../audit.js';
import { faultOf } from '../messages.js';

const ping = 'Ping';
const pong = 'Pong';

export const heartbeat: Audit[] = part('heartbeat', [
  [
    'before-init',
    'MUST',
    ping,
    'answers a ping before connection_init',
    async (session) => {
      await (await session.open()).ping();
    },
  ],
  [
    'acknowledged',
    'MUST',
    ping,
    'answers a ping on a connection',
    async (session) => {
      await (await session.connect()).ping();
    },
  ],
  [
    'payload',
    'MUST',
    ping,
    'answers a ping with a payload',
    async (session) => {
      await (await session.connect()).ping({ at: 1, deep: { list: [null] } });
    },
  ],
  [
    'null-payload',
    'MUST',
    ping,
    'answers a ping whose payload is null',
    async (session) => {
      await (await session.connect()).ping(null);
    },
  ],
  [
    'each',
    'MUST',
    ping,
    'answers each of several pings',
    async (session) => {
      const peer = await session.connect();
      for (let n = 0; n < 5; n++) peer.send({ type: 'ping' });
      await peer.until('five pongs answer five pings', () => (peer.pongs.length >= 5 ? true : undefined));
    },
  ],
  [
    'while-running',
    'MUST',
    ping,
    'answers a ping while a subscription runs',
    async (session) => {
      const operation = await session.stream();
      const peer = await session.connect();
      peer.subscribe(operation);
      await peer.ping();
      await peer.ping();
    },
  ],
  [
    'pong-shape',
    'MUST',
    pong,
    'sends pong with no payload, or one that is an object',
    async (session) => {
      const peer = await session.connect();
      await peer.ping();
      await peer.ping({ at: 1 });
      for (const message of peer.pongs) demand(!faultOf(message), `${faultOf(message)}`);
    },
  ],
  [
    'unsolicited',
    'MUST',
    pong,
    'takes a pong that it has not asked for, with a payload or without',
    async (session) => {
      const peer = await session.connect();
      for (const payload of [undefined, null, { at: 1 }]) peer.send({ type: 'pong', payload });
      await peer.settle();
    },
  ],
  [
    'unsolicited-before-init',
    'MUST',
    pong,
    'takes a pong before connection_init',
    async (session) => {
      const peer = await session.open();
      peer.send({ type: 'pong' });
      peer.init();
      await peer.acknowledged();
    },
  ],
  [
    'pong-unanswered',
    'SHOULD',
    pong,
    'does not answer a pong',
    async (session) => {
      const peer = await session.connect();
      peer.send({ type: 'pong' });
      peer.send({ type: 'pong', payload: { at: 1 } });
      await peer.settle();
      demand(peer.pongs.length === 2, `two pongs come, for two pings; got ${peer.pongs.length}`);
      demandSame(
        peer.messages.map(({ type }) => type),
        ['connection_ack', 'next', 'complete'],
        'otherwise',
      );
    },
  ],
  [
    'frame',
    'MUST',
    'RFC 6455, 5.5.2',
    'answers a ping frame with a pong frame of the same data',
    async (session) => {
      const data = await (await session.connect()).pingFrame('conformance');
      demand(data === 'conformance', `the pong frame has the ping's data; got ${data}`);
    },
  ],
]);
