import { type Audit, demand, part } from '../audit.js';

const communication = 'Communication';

export const closing: Audit[] = part('closing', [
  [
    'normal',
    'MUST',
    communication,
    "answers a client's close with 1000 by the same",
    async (session) => {
      const peer = await session.connect();
      peer.close();
      await peer.closes(1000);
    },
  ],
  [
    'before-init',
    'MUST',
    communication,
    'lets a client go that has not initialised',
    async (session) => {
      const peer = await session.open();
      peer.close();
      await peer.closes(1000);
    },
  ],
  [
    'while-running',
    'MUST',
    communication,
    'lets a client go while a subscription runs',
    async (session) => {
      const operation = await session.stream();
      const peer = await session.connect();
      peer.subscribe(operation);
      await peer.ping();
      peer.close();
      await peer.closes(1000);
    },
  ],
  [
    'without-a-word',
    'MUST',
    communication,
    'serves the others when clients are cut off',
    async (session) => {
      const [cut, other] = [await session.connect(), await session.connect()];
      cut.subscribe(session.target.query);
      if (session.target.stream) cut.subscribe(await session.stream());
      cut.terminate();
      await other.settle();
      await (await session.connect()).settle();
    },
  ],
  [
    'first-reason',
    'MUST',
    'Invalid message',
    'closes for the first illegal message, whatever follows it',
    async (session) => {
      const early = await session.open();
      early.subscribe(session.target.query);
      early.write('?');
      await early.closes(4401);
      const twice = await session.connect();
      twice.init();
      twice.write('?');
      await twice.closes(4429);
    },
  ],
  [
    'handshake',
    'SHOULD',
    'RFC 6455, 7.1.1',
    'ends the connection when it has closed the socket',
    async (session) => {
      const peer = await session.connect();
      peer.write('?');
      const { code } = await peer.until('the connection ends', () => peer.closing);
      demand(code !== 1006, 'the server says why it closes; it cut the connection');
    },
  ],
]);
