import { expect, test } from 'vitest';
import { memo, rowLoader, rowsLoader } from './loader.js';

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
