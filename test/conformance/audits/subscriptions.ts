import { type Audit, demand, demandSame, part } from '../audit.js';
import { faultOf } from '../messages.js';

const streaming = 'Streaming operation';
const subscribe = 'Subscribe';
const next = 'Next';

export const subscriptions: Audit[] = part('subscription', [
  [
    'events',
    'MUST',
    next,
    'sends events as next messages, one after the other',
    async (session) => {
      const { operation, another } = await session.talking();
      const running = (await session.connect()).subscribe(operation);
      await running.event();
      await another(() => running.event());
    },
  ],
  [
    'shapes',
    'MUST',
    'Next, Complete',
    'sends events of the shape of the document',
    async (session) => {
      const { operation } = await session.talking();
      const peer = await session.connect();
      await peer.subscribe(operation).events(1);
      const fault = peer.messages.map(faultOf).find((found) => found !== undefined);
      demand(!fault, `${fault}`);
    },
  ],
  [
    'completes',
    'MUST',
    streaming,
    'sends complete after the last event, and nothing after it',
    async (session) => {
      const operation = await session.finite();
      const peer = await session.connect();
      const running = peer.subscribe(operation);
      const last = await running.ended();
      demand(last.type === 'complete', `it completes; got ${JSON.stringify(last)}`);
      await peer.settle();
      demandSame(
        running.types,
        [...running.types.slice(0, -1).map(() => 'next'), 'complete'],
        'of a subscription that ends',
      );
    },
  ],
  [
    'completed-id-again',
    'MUST',
    subscribe,
    'lets the id of a subscription be used again once it has completed it',
    async (session) => {
      const operation = await session.finite();
      const peer = await session.connect();
      for (let n = 0; n < 2; n++) {
        const { type } = await peer.subscribe(operation, 'again').ended();
        demand(type === 'complete', `it completes; got ${type}`);
      }
      await peer.subscribe(session.target.query, 'again').result();
    },
  ],
  [
    'duplicate',
    'MUST',
    subscribe,
    'closes with 4409 for a subscribe whose id has an operation that runs',
    async (session) => {
      const operation = await session.stream();
      const peer = await session.connect();
      peer.subscribe(operation, 'same');
      await peer.ping();
      peer.subscribe(operation, 'same');
      await peer.closes(4409);
    },
  ],
  [
    'duplicate-at-once',
    'MUST',
    subscribe,
    'closes with 4409 for a second subscribe of the same id right after the first',
    async (session) => {
      const operation = await session.stream();
      const peer = await session.connect();
      peer.subscribe(operation, 'same');
      peer.subscribe(operation, 'same');
      await peer.closes(4409);
    },
  ],
  [
    'duplicate-query',
    'MUST',
    subscribe,
    'closes with 4409 for a query whose id has a subscription that runs',
    async (session) => {
      const operation = await session.stream();
      const peer = await session.connect();
      peer.subscribe(operation, 'same');
      await peer.ping();
      const query = peer.subscribe(session.target.query, 'same');
      await peer.closes(4409);
      demand(!query.types.includes('complete'), 'the query is not answered; it was');
    },
  ],
  [
    'duplicate-of-odd-id',
    'MUST',
    subscribe,
    'closes with 4409 also where the id is a name that every object has',
    async (session) => {
      const operation = await session.stream();
      const peer = await session.connect();
      peer.subscribe(operation, '__proto__');
      peer.subscribe(operation, '__proto__');
      await peer.closes(4409);
    },
  ],
  [
    'duplicate-of-long-id',
    'MUST',
    subscribe,
    'closes with 4409 also where the id is longer than the reason of a close may be',
    async (session) => {
      const operation = await session.stream();
      const peer = await session.connect();
      const id = 'ü'.repeat(200);
      peer.subscribe(operation, id);
      peer.subscribe(operation, id);
      await peer.closes(4409);
    },
  ],
  [
    'duplicate-reason',
    'SHOULD',
    subscribe,
    'names the id in the reason of 4409',
    async (session) => {
      const operation = await session.stream();
      const peer = await session.connect();
      peer.subscribe(operation, 'same');
      peer.subscribe(operation, 'same');
      const { reason } = await peer.closes(4409);
      demand(
        reason === 'Subscriber for same already exists',
        `the reason names it; got ${JSON.stringify(reason)}`,
      );
    },
  ],
  [
    'two',
    'MUST',
    'Communication',
    'sends two subscriptions of one socket their own events',
    async (session) => {
      const { operation, another } = await session.talking();
      const peer = await session.connect();
      const both = [peer.subscribe(operation), peer.subscribe(operation)];
      await Promise.all(both.map((running) => running.events(1)));
      const counts = both.map(({ messages }) => messages.length);
      await another(() => Promise.all(both.map((running, n) => running.events((counts[n] ?? 0) + 1))));
    },
  ],
  [
    'query-meanwhile',
    'MUST',
    'Communication',
    'answers queries while a subscription runs',
    async (session) => {
      const operation = await session.stream();
      const peer = await session.connect();
      const running = peer.subscribe(operation);
      await peer.subscribe(session.target.query).result();
      await peer.settle();
      demand(!running.types.includes('complete'), 'the subscription stays open; it completed');
    },
  ],
  [
    'ids-per-socket',
    'MUST',
    'Communication',
    'keeps the ids of one socket apart from those of another, also when one goes',
    async (session) => {
      const { operation, another } = await session.talking();
      const [one, two] = await Promise.all([session.connect(), session.connect()]);
      const gone = one.subscribe(operation, 'same');
      const running = two.subscribe(operation, 'same');
      await Promise.all([gone.events(1), running.events(1)]);
      one.close();
      await one.until('the socket closes', () => one.closing);
      const { length } = running.messages;
      await another(() => running.events(length + 1));
    },
  ],
]);
