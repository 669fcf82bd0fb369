import { type Audit, demand, demandSame, part, Skip } from '../audit.js';
import { faultOf } from '../messages.js';
import type { Peer } from '../peer.js';
import type { Session } from '../session.js';

const init = 'ConnectionInit';
const ack = 'ConnectionAck';
const subscribe = 'Subscribe';

/** Sends this connection_init; skips where the server wants another payload, which is the caller's to know. */
async function acknowledges(session: Session, message: object): Promise<void> {
  const peer = await session.open();
  peer.send({ type: 'connection_init', ...message });
  await peer.until('the server acknowledges or refuses', () => peer.messages[0] ?? peer.closing);
  if (peer.closing?.code === 4403) throw new Skip('the server wants another payload: it closed with 4403');
  await peer.acknowledged();
}

function initTimeout({ target }: Session): number {
  if (target.initTimeoutMs === null) throw new Skip('timeouts are not waited for');
  return target.initTimeoutMs;
}

async function timesOut(session: Session, peer: Peer): Promise<void> {
  const what = 'a client that does not initialise is given up';
  const { code, reason } = await peer.until(what, () => peer.closing, initTimeout(session));
  demand(code === 4408, `it is closed with 4408; got ${code} ${JSON.stringify(reason)}`);
}

export const connection: Audit[] = part('connection', [
  [
    'acknowledged',
    'MUST',
    ack,
    'answers connection_init with connection_ack, before anything else',
    async (session) => {
      await session.connect();
    },
  ],
  [
    'acknowledged-once',
    'MUST',
    ack,
    'acknowledges a connection once',
    async (session) => {
      const peer = await session.connect();
      await peer.settle();
      const acks = peer.messages.filter(({ type }) => type === 'connection_ack');
      demand(acks.length === 1, `one connection_ack comes; got ${acks.length}`);
    },
  ],
  [
    'not-before-init',
    'MUST',
    ack,
    'says nothing of a connection before connection_init',
    async (session) => {
      const peer = await session.open();
      await peer.ping();
      await peer.ping();
      demandSame(
        peer.messages.map(({ type }) => type),
        [],
        'before connection_init',
      );
    },
  ],
  [
    'ack-shape',
    'MUST',
    ack,
    'sends connection_ack with no payload, or one that is an object',
    async (session) => {
      const peer = await session.connect();
      const fault = faultOf(peer.messages[0]);
      demand(!fault, `${fault}`);
    },
  ],
  [
    'without-payload',
    'MUST',
    init,
    'takes connection_init without a payload',
    (session) => acknowledges(session, {}),
  ],
  [
    'null-payload',
    'MUST',
    init,
    'takes connection_init whose payload is null',
    (session) => acknowledges(session, { payload: null }),
  ],
  [
    'any-payload',
    'MUST',
    init,
    'takes connection_init with a payload that holds things it does not know',
    (session) =>
      acknowledges(session, { payload: { ...session.target.init, conformance: { list: [1, 'a', null] } } }),
  ],
  [
    'refused',
    'MUST',
    init,
    'closes the socket of a connection that it refuses, and does not acknowledge it',
    async (session) => {
      const peer = await session.open();
      const { refusedInit } = session.target;
      if (!refusedInit) throw new Skip('no payload is given that the server refuses');
      peer.send({ type: 'connection_init', payload: refusedInit });
      await peer.until('the server closes the socket', () => peer.messages[0] ?? peer.closing);
      demandSame(
        peer.messages.map(({ type }) => type),
        [],
        'on a connection that is refused',
      );
    },
  ],
  [
    'refused-4403',
    'SHOULD',
    init,
    'closes a connection that it refuses with 4403',
    async (session) => {
      const peer = await session.open();
      const { refusedInit } = session.target;
      if (!refusedInit) throw new Skip('no payload is given that the server refuses');
      peer.send({ type: 'connection_init', payload: refusedInit });
      await peer.closes(4403);
    },
  ],
  [
    'second-init',
    'MUST',
    init,
    'closes with 4429 for a second connection_init',
    async (session) => {
      const peer = await session.connect();
      peer.init();
      await peer.closes(4429);
    },
  ],
  [
    'second-init-at-once',
    'MUST',
    init,
    'closes with 4429 for a second connection_init before it has acknowledged the first',
    async (session) => {
      const peer = await session.open();
      peer.init();
      peer.init();
      await peer.closes(4429);
    },
  ],
  [
    'second-init-while-running',
    'MUST',
    init,
    'closes with 4429 for a second connection_init while a subscription runs',
    async (session) => {
      const operation = await session.stream();
      const peer = await session.connect();
      peer.subscribe(operation);
      await peer.ping();
      peer.init();
      await peer.closes(4429);
    },
  ],
  [
    'too-early',
    'MUST',
    subscribe,
    'closes with 4401 for a subscribe before connection_init, and answers nothing',
    async (session) => {
      const peer = await session.open();
      peer.subscribe(session.target.query);
      await peer.closes(4401);
      demandSame(
        peer.messages.map(({ type }) => type),
        [],
        'before connection_init',
      );
    },
  ],
  [
    'too-early-subscription',
    'MUST',
    subscribe,
    'closes with 4401 for a subscription before connection_init',
    async (session) => {
      const operation = await session.stream();
      const peer = await session.open();
      peer.subscribe(operation);
      await peer.closes(4401);
      demandSame(
        peer.messages.map(({ type }) => type),
        [],
        'before connection_init',
      );
    },
  ],
  [
    'not-before-ack',
    'MUST',
    subscribe,
    'runs nothing before it has acknowledged: a subscribe right after connection_init comes after the ack, or is 4401',
    async (session) => {
      const peer = await session.open();
      peer.init();
      const running = peer.subscribe(session.target.query);
      await peer.until('it is answered or refused', () => running.messages.at(-1) ?? peer.closing);
      if (!peer.closing) return void (await peer.acknowledged());
      demand(peer.closing.code === 4401, `it is closed with 4401; got ${peer.closing.code}`);
      demand(running.messages.length === 0, 'what is refused has no result; it has');
    },
  ],
  [
    'timeout',
    'MUST',
    init,
    'closes with 4408 where connection_init does not come in time',
    async (session) => {
      initTimeout(session);
      await timesOut(session, await session.open());
    },
  ],
  [
    'timeout-despite-pings',
    'MUST',
    init,
    'closes with 4408 though the client pings meanwhile',
    async (session) => {
      initTimeout(session);
      const peer = await session.open();
      await peer.ping();
      peer.send({ type: 'pong' });
      await timesOut(session, peer);
    },
  ],
  [
    'timeout-spares',
    'MUST',
    init,
    'keeps a connection that was initialised in time',
    async (session) => {
      initTimeout(session);
      const [spared, late] = [await session.connect(), await session.open()];
      await late.until(
        'a client that does not initialise is given up',
        () => late.closing,
        initTimeout(session),
      );
      await spared.settle();
    },
  ],
  [
    'reasons',
    'SHOULD',
    'ConnectionInit, Subscribe',
    'gives the reasons of the document for 4401 and 4429',
    async (session) => {
      const early = await session.open();
      early.subscribe(session.target.query);
      const twice = await session.connect();
      twice.init();
      const reasons = [(await early.closes(4401)).reason, (await twice.closes(4429)).reason];
      demandSame(reasons, ['Unauthorized', 'Too many initialisation requests'], 'the reasons');
    },
  ],
]);
