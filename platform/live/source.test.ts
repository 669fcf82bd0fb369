import { randomUUID } from 'node:crypto';
import { afterEach, expect, test } from 'vitest';
import { gate } from '../testing/gate.js';
import { createLiveThings, type LiveThings } from '../testing/live.js';
import { committedAt } from './commit-time.js';

let things: LiveThings;

afterEach(() => things.close());

const anyone = () => true;

/** Watches, and reads what comes as it comes. */
function watch(id: string, after: number | null = null, mayWatch: (owner: string) => boolean = anyone) {
  const events = things.live.watch({ id, after, mayWatch });
  const seen: string[] = [];
  const over = (async () => {
    try {
      for await (const { value } of events) seen.push(value);
      return 'complete';
    } catch (error) {
      return error as { message: string; extensions?: { code: string; field?: string } };
    }
  })();
  return { seen, over, events };
}

const code = (code: string) => expect.objectContaining({ extensions: expect.objectContaining({ code }) });
const patient = { timeout: 10_000, interval: 5 };

test('the present state comes first, then every change once and in order', async () => {
  things = await createLiveThings();
  const id = await things.make('me', 'one', 'two');
  const { seen } = watch(id);
  await expect.poll(() => seen, patient).toEqual(['two']);
  for (const value of ['three', 'four', 'five']) {
    await things.change(id, value);
    things.live.ring(id);
  }
  await expect.poll(() => seen.length, patient).toBe(4);
  await things.change(id, 'six', 'seven');
  things.live.ring(id);
  await expect.poll(() => seen, patient).toEqual(['two', 'three', 'four', 'five', 'six', 'seven']);
});

test('a known thing without a change says nothing until its first', async () => {
  things = await createLiveThings();
  const id = await things.make('me');
  const { seen } = watch(id);
  await expect.poll(() => things.reads.length, patient).toBeGreaterThan(0);
  await things.change(id, 'one', 'two');
  things.live.ring(id);
  await expect.poll(() => seen, patient).toEqual(['one', 'two']);
});

test('with a cursor, every change since comes first, and nothing twice', async () => {
  things = await createLiveThings();
  const id = await things.make('me', 'one', 'two', 'three');
  const [from1, from3, from0] = [watch(id, 1), watch(id, 3), watch(id, 0)];
  await expect.poll(() => from1.seen, patient).toEqual(['two', 'three']);
  await things.change(id, 'four');
  things.live.ring(id);
  await expect.poll(() => from3.seen, patient).toEqual(['four']);
  await expect.poll(() => from1.seen, patient).toEqual(['two', 'three', 'four']);
  await expect.poll(() => from0.seen, patient).toEqual(['one', 'two', 'three', 'four']);
});

test('a cursor that lies in the future is refused', async () => {
  things = await createLiveThings();
  const id = await things.make('me', 'one');
  const { over, seen } = watch(id, 2);
  expect(await over).toMatchObject({ extensions: { code: 'BAD_USER_INPUT', field: 'after' } });
  expect(seen).toEqual([]);
});

test('what is committed and rung while the first reading is under way is not missed', async () => {
  things = await createLiveThings();
  const id = await things.make('me', 'one');
  const [read, held] = [gate(), gate()];
  things.hooks.after = async () => {
    read.resolve();
    await held.promise;
  };
  const { seen } = watch(id);
  await read.promise;
  await things.change(id, 'two', 'three');
  things.live.ring(id);
  held.resolve();
  await expect.poll(() => seen, patient).toEqual(['one', 'two', 'three']);
});

test('one who comes while a reading is under way does not wait for a bell', async () => {
  things = await createLiveThings();
  const id = await things.make('me', 'one');
  const [read, held] = [gate(), gate()];
  things.hooks.before = async () => {
    read.resolve();
    await held.promise;
  };
  const first = watch(id);
  await read.promise;
  const second = watch(id);
  held.resolve();
  await expect.poll(() => [first.seen, second.seen], patient).toEqual([['one'], ['one']]);
});

test('a change whose doorbell got lost comes with the next poll', async () => {
  things = await createLiveThings({ pollMs: 100 });
  const id = await things.make('me', 'one');
  const { seen } = watch(id);
  await expect.poll(() => seen, patient).toEqual(['one']);
  await things.change(id, 'two');
  await expect.poll(() => seen, patient).toEqual(['one', 'two']);
});

test('where any ring may have been lost, all who watch are read at once', async () => {
  things = await createLiveThings();
  const ids = [await things.make('me', 'one'), await things.make('me', 'one')] as const;
  const watched = ids.map((id) => watch(id));
  await expect.poll(() => watched.every(({ seen }) => seen.length === 1), patient).toBe(true);
  for (const id of ids) await things.change(id, 'two');
  things.live.ringAll();
  await expect
    .poll(() => watched.map(({ seen }) => seen), patient)
    .toEqual([
      ['one', 'two'],
      ['one', 'two'],
    ]);
});

test('where it is learned in the middle of a reading that rings may have been lost, all are read after it', async () => {
  things = await createLiveThings();
  const id = await things.make('me', 'one');
  const { seen } = watch(id);
  await expect.poll(() => seen, patient).toEqual(['one']);
  const [read, held] = [gate(), gate()];
  things.hooks.after = async () => {
    read.resolve();
    await held.promise;
  };
  things.live.ringAll();
  await read.promise;
  await things.change(id, 'two');
  things.live.ringAll();
  held.resolve();
  await expect.poll(() => seen, patient).toEqual(['one', 'two']);
});

test('what comes live knows when it was committed; the present state and what was missed do not', async () => {
  things = await createLiveThings();
  const id = await things.make('me', 'one', 'two');
  const [fresh, resumed] = [things.live.watch({ id, after: null }), things.live.watch({ id, after: 0 })];
  const next = async (events: typeof fresh) => (await events.next()).value;
  expect(committedAt(await next(fresh))).toBeUndefined();
  for (const value of ['one', 'two']) {
    const event = await next(resumed);
    expect([event.value, committedAt(event)]).toEqual([value, undefined]);
  }
  const before = Date.now();
  await things.change(id, 'three');
  const after = Date.now();
  things.live.ring(id);
  for (const events of [fresh, resumed]) {
    const at = committedAt(await next(events)) ?? 0;
    expect(at).toBeGreaterThanOrEqual(before - 1);
    expect(at).toBeLessThanOrEqual(after);
  }
});

test('a storm of rings costs few readings, and all who watch are read together', async () => {
  things = await createLiveThings();
  const ids = await Promise.all(Array.from({ length: 20 }, () => things.make('me', 'one')));
  const watched = ids.map((id) => watch(id));
  await expect.poll(() => watched.every(({ seen }) => seen.length === 1), patient).toBe(true);
  const before = things.reads.length;
  for (let round = 0; round < 100; round += 1) for (const id of ids) things.live.ring(id);
  await Promise.all(ids.map((id) => things.change(id, 'two')));
  for (const id of ids) things.live.ring(id);
  await expect.poll(() => watched.every(({ seen }) => seen.join() === 'one,two'), patient).toBe(true);
  expect(things.reads.length - before).toBeLessThanOrEqual(4);
});

test('a ring for what nobody watches reads nothing', async () => {
  things = await createLiveThings();
  const [id, other] = [await things.make('me', 'one'), await things.make('me', 'one')];
  const { seen } = watch(id);
  await expect.poll(() => seen, patient).toEqual(['one']);
  things.live.ring(other);
  await things.change(id, 'two');
  things.live.ring(id);
  await expect.poll(() => seen.length, patient).toBe(2);
  expect(things.reads.flat().every((asked) => asked.id === id)).toBe(true);
});

test('what was unknown and becomes known tells everything from its first change', async () => {
  things = await createLiveThings({ unknownMs: 10_000 });
  const id = randomUUID();
  const { seen } = watch(id);
  await expect.poll(() => things.reads.length, patient).toBeGreaterThan(1);
  await things.database.query(`insert into things (id, owner) values ($1, 'me')`, [id]);
  await things.change(id, 'one', 'two', 'three');
  // It may have become known before its first change.
  things.live.ring(id);
  await expect.poll(() => seen, patient).toEqual(['one', 'two', 'three']);
});

test('what stays unknown for too long is NOT_FOUND', async () => {
  things = await createLiveThings({ unknownMs: 300 });
  const began = performance.now();
  expect(await watch(randomUUID()).over).toEqual(code('NOT_FOUND'));
  expect(performance.now() - began).toBeGreaterThanOrEqual(290);
});

test('the time while the database was away does not count as unknown', async () => {
  things = await createLiveThings({ unknownMs: 5_000 });
  things.hooks.before = async () => {
    throw new Error('away');
  };
  const id = randomUUID();
  const { seen, over } = watch(id);
  await expect.poll(() => things.reads.length, patient).toBeGreaterThan(6);
  delete things.hooks.before;
  await things.database.query(`insert into things (id, owner) values ($1, 'me')`, [id]);
  await things.change(id, 'one');
  await things.finish(id);
  expect(await over).toBe('complete');
  expect(seen).toEqual(['one']);
});

test("somebody else's thing is NOT_FOUND, and one who loses the right loses the stream", async () => {
  things = await createLiveThings();
  const id = await things.make('you', 'one');
  expect(await watch(id, null, (owner) => owner === 'me').over).toEqual(code('NOT_FOUND'));
  const { seen, over } = watch(id, null, (owner) => owner === 'you');
  await expect.poll(() => seen, patient).toEqual(['one']);
  await things.database.query(`update things set owner = 'me' where id = $1`, [id]);
  await things.change(id, 'secret');
  things.live.ring(id);
  expect(await over).toEqual(code('NOT_FOUND'));
  expect(seen).toEqual(['one']);
});

test('a rule that throws ends its own watcher only', async () => {
  things = await createLiveThings();
  const id = await things.make('me', 'one');
  const broken = watch(id, null, () => {
    throw new Error('a bug');
  });
  const { seen } = watch(id);
  expect(await broken.over).toMatchObject({ message: 'a bug' });
  await expect.poll(() => seen, patient).toEqual(['one']);
});

test('it completes, after the last change, once nothing can change any more', async () => {
  things = await createLiveThings();
  const id = await things.make('me', 'one');
  const { seen, over } = watch(id);
  await expect.poll(() => seen, patient).toEqual(['one']);
  await things.change(id, 'two');
  await things.finish(id);
  things.live.ring(id);
  expect(await over).toBe('complete');
  expect(seen).toEqual(['one', 'two']);
  const late = watch(id);
  expect(await late.over).toBe('complete');
  expect(late.seen).toEqual(['two']);
});

test('while the database fails nobody is dropped, and nothing is missed afterwards', async () => {
  things = await createLiveThings();
  const id = await things.make('me', 'one');
  const { seen } = watch(id);
  await expect.poll(() => seen, patient).toEqual(['one']);
  things.hooks.before = async () => {
    throw new Error('away');
  };
  const before = things.reads.length;
  await things.change(id, 'two');
  things.live.ring(id);
  await expect.poll(() => things.reads.length, patient).toBeGreaterThan(before + 2);
  await things.change(id, 'three');
  delete things.hooks.before;
  await expect.poll(() => seen, patient).toEqual(['one', 'two', 'three']);
});

test('one who goes is not asked for any more', async () => {
  things = await createLiveThings({ pollMs: 20 });
  const [id, other] = [await things.make('me', 'one'), await things.make('me', 'one')];
  const { events, seen, over } = watch(id);
  watch(other);
  await expect.poll(() => seen, patient).toEqual(['one']);
  await events.return?.();
  expect(await over).toBe('complete');
  const before = things.reads.length;
  await expect.poll(() => things.reads.length, patient).toBeGreaterThan(before + 3);
  expect(things.reads.at(-1)?.map((asked) => asked.id)).toEqual([other]);
});

test('stopping tells all who watch to come back, at once even in an outage, and takes no more', async () => {
  things = await createLiveThings();
  const id = await things.make('me', 'one');
  const { over, seen } = watch(id);
  await expect.poll(() => seen, patient).toEqual(['one']);
  things.hooks.before = async () => {
    throw new Error('away');
  };
  things.live.ring(id);
  // The wait between two tries has grown past a second by then.
  await expect.poll(() => things.reads.length, { timeout: 15_000, interval: 20 }).toBeGreaterThan(7);
  const began = performance.now();
  await things.live.stop();
  expect(performance.now() - began).toBeLessThan(500);
  expect(await over).toEqual(code('SERVICE_UNAVAILABLE'));
  expect(await watch(id).over).toEqual(code('SERVICE_UNAVAILABLE'));
});

test('who watches at a pace is read for no more often, and told the latest in the end', async () => {
  const paceMs = 200;
  things = await createLiveThings({ paceMs });
  const id = await things.make('me', 'one');
  const { seen } = watch(id);
  await expect.poll(() => seen, patient).toEqual(['one']);
  const began = Date.now();
  for (let n = 0; n < 60; n += 1) {
    await things.change(id, `change ${n}`);
    things.live.ring(id);
  }
  await expect.poll(() => seen.at(-1), patient).toBe('change 59');
  expect(things.reads.length).toBeLessThanOrEqual(2 + Math.ceil((Date.now() - began) / paceMs));
  expect(new Set(seen).size).toBe(61);
});
