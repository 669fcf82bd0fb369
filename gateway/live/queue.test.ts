import { expect, test } from 'vitest';
import { eventQueue } from './queue.js';

const none = () => {
  throw new Error('overflow');
};

test('events come out in the order they went in, whether waited for or not', async () => {
  const queue = eventQueue<number>(10, none);
  const first = queue.next();
  queue.push(1);
  queue.push(2);
  queue.push(3);
  expect([await first, await queue.next(), await queue.next()].map(({ value }) => value)).toEqual([1, 2, 3]);
});

test('an end comes after what is held, an error is thrown once', async () => {
  const queue = eventQueue<number>(10, none);
  queue.push(1);
  queue.end(new Error('lost'));
  queue.push(2);
  expect(await queue.next()).toEqual({ done: false, value: 1 });
  await expect(queue.next()).rejects.toThrow('lost');
  expect((await queue.next()).done).toBe(true);
});

test('closing ends a read that waits, and forgets what is held', async () => {
  const queue = eventQueue<number>(10, none);
  const waiting = queue.next();
  queue.close();
  expect((await waiting).done).toBe(true);
  const full = eventQueue<number>(10, none);
  full.push(1);
  full.close();
  expect((await full.next()).done).toBe(true);
});

test('one event too many closes it and says so once', async () => {
  let overflows = 0;
  const queue = eventQueue<number>(2, () => overflows++);
  for (const event of [1, 2, 3, 4]) queue.push(event);
  expect(overflows).toBe(1);
  expect((await queue.next()).done).toBe(true);
});
