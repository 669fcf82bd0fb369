import { afterEach, expect, test } from 'vitest';
import { gate } from '../testing/gate.js';
import { createLiveThings, type LiveThings, type ThingChange } from '../testing/live.js';
import { committedAt } from './commit-time.js';

let things: LiveThings;
afterEach(() => things.close());

const patient = { timeout: 20_000, interval: 5 };
const numbers = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, n) => String(from + n));
const rowsRead = () => things.reads.flat().reduce((sum, { limit }) => sum + limit, 0);

/** Reads so many changes, one after the other. */
async function take(events: AsyncIterator<ThingChange>, count: number): Promise<ThingChange[]> {
  const taken: ThingChange[] = [];
  while (taken.length < count) {
    const { done, value } = await events.next();
    if (done) break;
    taken.push(value);
  }
  return taken;
}

test('one who comes back 5,000 changes behind gets them all, in order, and then what is new', async () => {
  things = await createLiveThings();
  const id = await things.make('me', ...numbers(1, 5_000));
  const events = things.live.watch({ id, after: 0 });
  expect((await take(events, 5_000)).map(({ value }) => value)).toEqual(numbers(1, 5_000));
  expect(Math.max(...things.reads.flat().map(({ limit }) => limit))).toBe(500);
  await things.change(id, '5001');
  things.live.ring(id);
  const [live] = await take(events, 1);
  expect(live?.value).toBe('5001');
  expect(committedAt(live)).toBeGreaterThan(0);
});

test('one who does not read is not read for, however often its bell rings, and is missing nothing when it does', async () => {
  things = await createLiveThings({ pollMs: 20 });
  const [id, other] = [await things.make('me', ...numbers(1, 3_000)), await things.make('me', 'one')];
  const slow = things.live.watch({ id, after: 0 });
  const witness = things.live.watch({ id: other, after: null });
  await take(witness, 1);
  for (const value of numbers(1, 20)) {
    await things.change(id, `more ${value}`);
    things.live.ring(id);
    await things.change(other, value);
    things.live.ring(other);
    await take(witness, 1);
  }
  const asked = things.reads.flat().filter((watch) => watch.id === id);
  expect(asked.length).toBeLessThanOrEqual(2);
  const expected = [...numbers(1, 3_000), ...numbers(1, 20).map((value) => `more ${value}`)];
  const seen = await take(slow, expected.length);
  expect(seen.map(({ value }) => value)).toEqual(expected);
  // What had waited for its reader did not come live.
  expect(seen.filter((change) => committedAt(change) !== undefined)).toEqual([]);
});

test('one who is through with a long history is told that it is over after its last change', async () => {
  things = await createLiveThings();
  const id = await things.make('me', ...numbers(1, 1_200));
  await things.finish(id);
  const events = things.live.watch({ id, after: 100 });
  expect((await take(events, 2_000)).map(({ value }) => value)).toEqual(numbers(101, 1_200));
});

test('many who are far behind are read for in turns, a bounded number of changes a statement', async () => {
  things = await createLiveThings();
  const ids = await Promise.all(numbers(1, 60).map(() => things.make('me', ...numbers(1, 700))));
  const all = ids.map((id) => take(things.live.watch({ id, after: 0 }), 700));
  for (const taken of await Promise.all(all))
    expect(taken.map(({ value }) => value)).toEqual(numbers(1, 700));
  for (const asked of things.reads)
    expect(asked.reduce((sum, { limit }) => sum + limit, 0)).toBeLessThanOrEqual(10_000 + asked.length);
  expect(rowsRead()).toBeGreaterThan(60 * 700);
});

test('10,000 who watch are looked for 1,000 at a time, and one whose bell rings meanwhile does not wait for all', async () => {
  things = await createLiveThings();
  const ids = await Promise.all(numbers(1, 20).map(() => things.make('me', 'one')));
  const watched = Array.from({ length: 10_000 }, (_, n) =>
    things.live.watch({ id: ids[n % 10] ?? '', after: null }),
  );
  await Promise.all(watched.map((events) => take(events, 1)));
  const rung = things.live.watch({ id: ids[19] ?? '', after: null });
  await take(rung, 1);
  const before = things.reads.length;

  const [read, held] = [gate(), gate()];
  things.hooks.before = async () => {
    read.resolve();
    await held.promise;
  };
  things.live.ringAll();
  await read.promise;
  await things.change(ids[19] ?? '', 'two');
  things.live.ring(ids[19] ?? '');
  held.resolve();
  await take(rung, 1);
  expect(things.reads.length - before).toBeLessThan(5);
  await expect.poll(() => things.reads.slice(before).flat().length, patient).toBeGreaterThanOrEqual(10_001);
  expect(Math.max(...things.reads.map((asked) => asked.length))).toBe(1_000);

  const settled = things.reads.length;
  await things.change(ids[19] ?? '', 'three');
  things.live.ring(ids[19] ?? '');
  await take(rung, 1);
  expect(things.reads.slice(settled).map((asked) => asked.map(({ id }) => id))).toEqual([[ids[19]]]);
});
