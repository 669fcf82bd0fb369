import { randomUUID } from 'node:crypto';
import { type Audit, demand, demandSame, part, Skip } from '../audit.js';

const complete = 'Complete';
const invalid = 'Invalid message';

export const completion: Audit[] = part('complete', [
  [
    'of-unknown',
    'SHOULD',
    invalid,
    'ignores complete of an id that it has never seen',
    async (session) => {
      const peer = await session.connect();
      peer.send({ id: randomUUID(), type: 'complete' });
      peer.send({ id: '__proto__', type: 'complete' });
      await peer.settle();
    },
  ],
  [
    'of-completed',
    'MUST',
    invalid,
    'ignores complete of an operation that it has completed',
    async (session) => {
      const peer = await session.connect();
      const running = peer.subscribe(session.target.query);
      await running.result();
      running.complete();
      running.complete();
      await peer.settle();
    },
  ],
  [
    'of-refused',
    'MUST',
    invalid,
    'ignores complete of an operation that it has refused',
    async (session) => {
      const peer = await session.connect();
      const running = peer.subscribe({ query: '{ conformanceHasNoSuchField }' });
      await running.refused();
      running.complete();
      await peer.settle();
    },
  ],
  [
    'of-query-at-once',
    'MUST',
    complete,
    'goes on, with that id too, when a query is completed right after it was sent',
    async (session) => {
      const peer = await session.connect();
      const running = peer.subscribe(session.target.query, 'again');
      running.complete();
      await peer.settle();
      const whole = ['next', 'complete'];
      demand(
        running.types.every((type, index) => type === whole[index]),
        `what was under way comes, or nothing; got ${running.types}`,
      );
      await peer.subscribe(session.target.query, 'again').result();
    },
  ],
  [
    'of-slow-query',
    'MUST',
    complete,
    'sends no result of a query that was completed before it had one',
    async (session) => {
      const { slowQuery } = session.target;
      if (!slowQuery) throw new Skip('no slow query is given');
      const peer = await session.connect();
      const running = peer.subscribe(slowQuery);
      running.complete();
      await peer.subscribe(slowQuery).result();
      await peer.settle();
      demandSame(running.types, [], 'of a query that was completed');
    },
  ],
  [
    'stops',
    'MUST',
    complete,
    'sends no event of a subscription after it was completed',
    async (session) => {
      const { operation, another } = await session.talking();
      const peer = await session.connect();
      const [stopped, other] = [peer.subscribe(operation), peer.subscribe(operation)];
      await Promise.all([stopped.events(1), other.events(1)]);
      stopped.complete();
      await peer.ping();
      const before = stopped.types;
      const more = other.messages.length + 1;
      await another(() => other.events(more));
      await peer.settle();
      demandSame(stopped.types, before, 'of a subscription that was completed');
    },
  ],
  [
    'unanswered',
    'SHOULD',
    complete,
    "does not answer a client's complete with one of its own",
    async (session) => {
      const operation = await session.stream();
      const peer = await session.connect();
      const running = peer.subscribe(operation);
      await peer.ping();
      running.complete();
      await peer.settle();
      demand(!running.types.includes('complete'), 'no complete comes; one did');
    },
  ],
  [
    'twice',
    'MUST',
    complete,
    'ignores a second complete of a subscription',
    async (session) => {
      const operation = await session.stream();
      const peer = await session.connect();
      const running = peer.subscribe(operation);
      await peer.ping();
      running.complete();
      running.complete();
      await peer.settle();
    },
  ],
  [
    'id-again',
    'MUST',
    'Subscribe',
    'lets an id be used again once its client has completed it',
    async (session) => {
      const { operation, another } = await session.talking();
      const peer = await session.connect();
      const first = peer.subscribe(operation, 'again');
      await first.events(1);
      first.complete();
      await peer.settle();
      const second = peer.subscribe(operation, 'again');
      const { length } = await second.events(1);
      await another(() => second.events(length + 1));
    },
  ],
  [
    'id-again-at-once',
    'MUST',
    'Subscribe',
    'lets an id be used again right after its client has completed it',
    async (session) => {
      const { operation, another } = await session.talking();
      const peer = await session.connect();
      const first = peer.subscribe(operation, 'again');
      await first.events(1);
      first.complete();
      const second = peer.subscribe(operation, 'again');
      const { length } = await second.events(1);
      await another(() => second.events(length + 1));
    },
  ],
  [
    'id-again-unread',
    'MUST',
    'Subscribe',
    'runs the last of several operations that had one id, each completed as soon as it was sent',
    async (session) => {
      const { operation, another } = await session.talking();
      const peer = await session.connect();
      peer.subscribe(operation, 'again').complete();
      peer.subscribe(operation, 'again').complete();
      const last = peer.subscribe(operation, 'again');
      const other = peer.subscribe(operation);
      await Promise.all([last.events(1), other.events(1)]);
      const { length } = other.messages;
      await another(() => Promise.all([last.events(2), other.events(length + 1)]));
      await peer.settle();
      // One may have begun just before an event, and the other just after it.
      demand(
        last.messages.length <= other.messages.length + 1,
        `the events of one operation come; got ${last.messages.length}, where another has ${other.messages.length}`,
      );
      // It is known to run: else it could not be stopped.
      peer.subscribe(operation, 'again');
      await peer.closes(4409);
    },
  ],
  [
    'one-of-two',
    'MUST',
    complete,
    'completes one operation and leaves its neighbours running',
    async (session) => {
      const { operation, another } = await session.talking();
      const peer = await session.connect();
      const [stopped, other] = [peer.subscribe(operation), peer.subscribe(operation)];
      stopped.complete();
      await peer.ping();
      const { length } = await other.events(1);
      await another(() => other.events(length + 1));
    },
  ],
]);
