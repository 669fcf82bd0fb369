import { expect, test } from 'vitest';
import { gate } from '../testing/gate.js';
import { memo, rowLoader, rowsLoader, together } from './loader.js';

test('a row loader reads all keys at once, and gives null where there is no row', async () => {
  const asked: (readonly string[])[] = [];
  const loader = rowLoader(
    async (keys) => {
      asked.push(keys);
      return [{ id: 'b' }, { id: 'a' }];
    },
    ({ id }) => id,
  );
  expect(await Promise.all(['a', 'x', 'b', 'a'].map((key) => loader.load(key)))).toEqual([
    { id: 'a' },
    null,
    { id: 'b' },
    { id: 'a' },
  ]);
  expect(asked).toEqual([['a', 'x', 'b']]);
});

test('a rows loader keeps the order in which the rows were read, and drops what nobody asked for', async () => {
  const rows = [
    { of: 'b', n: 3 },
    { of: 'a', n: 1 },
    { of: 'b', n: 2 },
    { of: 'stranger', n: 0 },
  ];
  const loader = rowsLoader(
    async () => rows,
    ({ of }) => of,
  );
  expect(await Promise.all(['a', 'x', 'b'].map((key) => loader.load(key)))).toEqual([
    [rows[1]],
    [],
    [rows[0], rows[2]],
  ]);
});

test('what fails to be read fails for every key', async () => {
  const loader = rowLoader<{ id: string }>(
    () => Promise.reject(new Error('away')),
    ({ id }) => id,
  );
  const results = await Promise.allSettled([loader.load('a'), loader.load('b')]);
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
});

test('memo makes one value for each key', () => {
  const get = memo((key) => ({ key }));
  expect(get('a')).toBe(get('a'));
  expect(get('b')).toEqual({ key: 'b' });
});

test('loaders of many requests read together, each key once, and each gets its own', async () => {
  const asked: (readonly string[])[] = [];
  const read = together(
    async (keys) => {
      asked.push(keys);
      return keys.flatMap((key) => [`${key}1`, `${key}2`]).toReversed();
    },
    (row) => row.slice(0, 1),
  );
  const load = (key: string) => rowsLoader(read, (row) => row.slice(0, 1)).load(key);
  expect(await Promise.all(['a', 'b', 'a'].map(load))).toEqual([
    ['a2', 'a1'],
    ['b2', 'b1'],
    ['a2', 'a1'],
  ]);
  expect(asked).toEqual([['a', 'b']]);
});

test('who asks once a read has begun gets one that begins later', async () => {
  let state = 0;
  const asked: number[] = [];
  const { promise: held, resolve: release } = gate();
  const read = together(
    async ([key]) => {
      asked.push(state);
      const row = { key, state };
      await held;
      return [row];
    },
    () => 'a',
  );
  const first = read(['a']);
  await expect.poll(() => asked).toEqual([0]);
  state = 1;
  const second = read(['a']);
  release();
  expect(await second).toEqual([{ key: 'a', state: 1 }]);
  expect(await first).toEqual([{ key: 'a', state: 0 }]);
});

test('a read that fails does so for all who asked for it, and the next is another', async () => {
  let fails = true;
  const read = together(
    async (keys) => {
      if (fails) throw new Error('away');
      return [...keys];
    },
    (row) => row,
  );
  const both = await Promise.allSettled([read(['a']), read(['b'])]);
  expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  fails = false;
  expect(await read(['a', 'x'])).toEqual(['a', 'x']);
});
