import { type Audit, demand, demandSame, part } from '../audit.js';
import type { Peer } from '../peer.js';
import type { Running } from '../running.js';
import { cursorsOf, type Session } from '../session.js';
import type { Operation } from '../target.js';

const clause = 'Resumable subscriptions';

/** A subscription, and an observer of all of its events on a socket of its own that nothing happens to. */
async function observed(session: Session) {
  const resumable = await session.resumable();
  const peer = await session.connect();
  const observer = peer.subscribe(resumable.operation);
  await observer.events(1);
  const all = () => cursorsOf(observer, resumable);
  return {
    ...resumable,
    all,
    /** Makes changes, until the observer has seen so many events more. */
    async change(count: number): Promise<void> {
      for (let n = 0; n < count; n++) {
        const { length } = observer.messages;
        await resumable.another(() => observer.events(length + 1));
      }
    },
    /** Resolves to where the observer has an event, once it has come there too. */
    place: (cursor: string): Promise<number> =>
      peer.until(`another subscription has the event ${cursor} too`, () => {
        const index = all().indexOf(cursor);
        return index < 0 ? undefined : index;
      }),
  };
}

type Observed = Awaited<ReturnType<typeof observed>>;

/** Demands that what was read is what the observer has seen after a cursor. Either may be ahead of the other. */
async function demandAllAfter(seen: Observed, cursor: string, read: readonly string[]): Promise<void> {
  const wanted = seen.all().slice((await seen.place(cursor)) + 1);
  const both = Math.min(wanted.length, read.length);
  demandSame(read.slice(0, both), wanted.slice(0, both), 'the events since a cursor');
  demand(new Set(read).size === read.length, `nothing comes twice; got ${read.join(', ')}`);
}

/** The same of a subscription, once it has all that the observer has now. */
async function seesAllAfter(seen: Observed, cursor: string, peer: Peer, running: Running): Promise<void> {
  await running.events(seen.all().length - (await seen.place(cursor)) - 1);
  await peer.settle();
  await demandAllAfter(seen, cursor, cursorsOf(running, seen));
}

/** A subscription that is observed, and the cursor of its first event. */
async function start(session: Session) {
  const seen = await observed(session);
  const peer = await session.connect();
  const running = peer.subscribe(seen.operation);
  const cursor = seen.cursorOf(await running.event());
  await seen.place(cursor);
  return { seen, peer, running, cursor };
}

/** By an error message, or by a result that has no data, as graphql-js gives them. */
async function tellsErrors(peer: Peer, operation: Operation): Promise<void> {
  const running = peer.subscribe(operation);
  await running.ended();
  await peer.settle();
  const results = running.messages
    .filter(({ type }) => type === 'next')
    .map(({ payload }) => payload as object);
  const told = running.types.includes('error') || results.length === 1;
  demand(
    told && results.every((result) => 'errors' in result && !('data' in result && result.data !== null)),
    `errors are told, and no event comes; got ${JSON.stringify(running.messages).slice(0, 300)}`,
  );
}

export const resumption: Audit[] = part('resume', [
  [
    'present-state',
    'MUST',
    clause,
    'begins with the present state: the event that is the last one of others',
    async (session) => {
      const seen = await observed(session);
      await seen.change(2);
      const last = seen.all().length - 1;
      const late = (await session.connect()).subscribe(seen.operation);
      const place = await seen.place(seen.cursorOf(await late.event()));
      demand(
        place >= last,
        `who comes late gets the last of ${last + 1} events first; got the ${place + 1}.`,
      );
    },
  ],
  [
    'cursors',
    'MUST',
    clause,
    'gives every event a cursor of its own',
    async (session) => {
      const seen = await observed(session);
      await seen.change(2);
      const cursors = seen.all();
      demand(new Set(cursors).size === cursors.length, `no cursor comes twice; got ${cursors.join(', ')}`);
    },
  ],
  [
    'in-order',
    'MUST',
    clause,
    'sends every change once and in order to all who watch',
    async (session) => {
      const { seen, peer, running, cursor } = await start(session);
      const since = (await seen.place(cursor)) + 1;
      await seen.change(3);
      await running.events(seen.all().length - since + 1);
      await peer.settle();
      await demandAllAfter(seen, cursor, cursorsOf(running, seen).slice(1));
    },
  ],
  [
    'missed',
    'MUST',
    clause,
    'sends who comes back with a cursor every change since, once and in order',
    async (session) => {
      const { seen, peer, cursor } = await start(session);
      peer.close();
      await seen.change(3);
      const back = await session.connect();
      await seesAllAfter(seen, cursor, back, back.subscribe(seen.from(cursor)));
    },
  ],
  [
    'then-live',
    'MUST',
    clause,
    'goes on with the changes that come after those that were missed',
    async (session) => {
      const { seen, peer, cursor } = await start(session);
      peer.close();
      await seen.change(1);
      const back = await session.connect();
      const again = back.subscribe(seen.from(cursor));
      await again.events(1);
      await seen.change(2);
      await seesAllAfter(seen, cursor, back, again);
    },
  ],
  [
    'nothing-missed',
    'MUST',
    clause,
    'sends who comes back with the last cursor nothing but what comes then',
    async (session) => {
      const { seen, peer, cursor } = await start(session);
      const again = peer.subscribe(seen.from(cursor));
      await peer.settle();
      await seen.change(1);
      await seesAllAfter(seen, cursor, peer, again);
    },
  ],
  [
    'while-changing',
    'MUST',
    clause,
    'loses and doubles nothing when changes come while it is resumed',
    async (session) => {
      const { seen, peer, cursor } = await start(session);
      const changing = seen.change(3);
      const resumed = Array.from({ length: 5 }, () => peer.subscribe(seen.from(cursor)));
      await changing;
      for (const running of resumed) await seesAllAfter(seen, cursor, peer, running);
    },
  ],
  [
    'reconnect',
    'MUST',
    clause,
    'loses and doubles nothing when a client is cut off and comes back, again and again',
    async (session) => {
      const { seen, cursor, ...started } = await start(session);
      let { peer } = started;
      const read: string[] = [];
      for (let n = 0; n < 3; n++) {
        peer.terminate();
        await seen.change(1);
        peer = await session.connect();
        const running = peer.subscribe(seen.from(read.at(-1) ?? cursor));
        const { length } = await running.events(1);
        await seen.change(1);
        await running.events(length + 1);
        read.push(...cursorsOf(running, seen));
      }
      await demandAllAfter(seen, cursor, read);
    },
  ],
  [
    'same-id',
    'MUST',
    clause,
    'lets a subscription be completed and resumed under the same id',
    async (session) => {
      const { seen, peer, running, cursor } = await start(session);
      running.complete();
      // What was under way under that id has come by then.
      await peer.ping();
      const again = peer.subscribe(seen.from(cursor), running.id);
      await seen.change(2);
      await seesAllAfter(seen, cursor, peer, again);
    },
  ],
  [
    'two',
    'MUST',
    clause,
    'keeps two subscriptions of one socket apart: each has its own cursor and its own end',
    async (session) => {
      const { seen, peer, running, cursor } = await start(session);
      await seen.change(1);
      const later = seen.all().at(-1) ?? cursor;
      const [behind, ahead] = [peer.subscribe(seen.from(cursor)), peer.subscribe(seen.from(later))];
      await behind.events(1);
      running.complete();
      await peer.ping();
      await seen.change(1);
      await seesAllAfter(seen, cursor, peer, behind);
      await seesAllAfter(seen, later, peer, ahead);
    },
  ],
  [
    'again',
    'MUST',
    clause,
    'answers the same cursor with the same events, each time',
    async (session) => {
      const { seen, peer, cursor } = await start(session);
      await seen.change(2);
      for (let n = 0; n < 2; n++) {
        const again = peer.subscribe(seen.from(cursor));
        await seesAllAfter(seen, cursor, peer, again);
        again.complete();
      }
    },
  ],
  [
    'wrong-cursor',
    'MUST',
    clause,
    'sends no event for a cursor that it has not given, but errors',
    async (session) => {
      const { from } = await session.resumable();
      await tellsErrors(await session.connect(), from('conformance'));
    },
  ],
  [
    'wrong-cursor-message',
    'SHOULD',
    clause,
    'refuses a cursor that it has not given with an error message',
    async (session) => {
      const { from } = await session.resumable();
      await (await session.connect()).subscribe(from('conformance')).refused();
    },
  ],
  [
    'wrong-type',
    'MUST',
    clause,
    'sends no event for a cursor of a wrong type, but errors',
    async (session) => {
      const { from } = await session.resumable();
      await tellsErrors(await session.connect(), from({ conformance: 1 }));
    },
  ],
  [
    'wrong-type-message',
    'SHOULD',
    clause,
    'refuses a cursor of a wrong type with an error message',
    async (session) => {
      const { from } = await session.resumable();
      await (await session.connect()).subscribe(from({ conformance: 1 })).refused();
    },
  ],
  [
    'whole',
    'SHOULD',
    clause,
    'sends events without errors, whatever services their fields come from',
    async (session) => {
      const { seen, running } = await start(session);
      await seen.change(2);
      await running.events(2);
      const broken = running.messages.find(({ payload }) => 'errors' in (payload as object));
      demand(!broken, `no event has errors; got ${JSON.stringify(broken)?.slice(0, 300)}`);
    },
  ],
]);
