import { expect, test } from 'vitest';
import { createChannel } from './channel.js';

function channel(limit = 3) {
  const calls = { closed: 0 };
  const made = createChannel<number>({
    onClose: () => {
      calls.closed += 1;
    },
    limit,
    overflow: () => new Error('too slow'),
  });
  return { made, calls };
}

const end = { done: true, value: undefined };
const value = (n: number) => ({ done: false, value: n });

test('values are read in the order in which they were pushed, waited for or not', async () => {
  const { made } = channel();
  const waiting = made.next();
  made.push(1);
  made.push(2);
  made.push(0);
  expect([await waiting, await made.next(), await made.next()]).toEqual([value(1), value(2), value(0)]);
});

test('an end comes after what is queued, and stays', async () => {
  const { made, calls } = channel();
  made.push(1);
  made.end();
  made.push(2);
  made.end(new Error('too late'));
  expect([await made.next(), await made.next(), await made.next()]).toEqual([value(1), end, end]);
  expect(calls.closed).toBe(1);
});

test('an end with an error is thrown once, after what is queued', async () => {
  const { made } = channel();
  made.push(1);
  made.end(new Error('away'));
  expect(await made.next()).toEqual(value(1));
  await expect(made.next()).rejects.toThrow('away');
  expect(await made.next()).toEqual(end);
});

test('an end reaches a reader who waits', async () => {
  const [plain, failing] = [channel().made, channel().made];
  const [one, two] = [plain.next(), failing.next()];
  plain.end();
  failing.end(new Error('away'));
  expect(await one).toEqual(end);
  await expect(two).rejects.toThrow('away');
  expect(await failing.next()).toEqual(end);
});

test('a reader who is too slow reads what was queued, without a hole, and then the reason', async () => {
  const { made, calls } = channel(2);
  for (const n of [1, 2, 3, 4]) made.push(n);
  expect(calls.closed).toBe(1);
  expect([await made.next(), await made.next()]).toEqual([value(1), value(2)]);
  await expect(made.next()).rejects.toThrow('too slow');
});

test('return drops what is queued, ends who waits, and closes once', async () => {
  const { made, calls } = channel();
  made.push(1);
  expect(await made.return?.()).toEqual(end);
  expect(await made.next()).toEqual(end);
  await made.return?.();
  expect(calls.closed).toBe(1);

  const other = channel().made;
  const waiting = other.next();
  await other.return?.();
  expect(await waiting).toEqual(end);
});

test('return after a failure forgets the failure', async () => {
  const { made } = channel();
  made.end(new Error('away'));
  await made.return?.();
  expect(await made.next()).toEqual(end);
});

test('throw closes, and throws what it was given', async () => {
  const { made, calls } = channel();
  made.push(1);
  await expect(made.throw?.(new Error('mine'))).rejects.toThrow('mine');
  expect(calls.closed).toBe(1);
  expect(await made.next()).toEqual(end);
});

test('a for-await loop that is left closes the channel', async () => {
  const { made, calls } = channel();
  made.push(1);
  for await (const n of made) {
    expect(n).toBe(1);
    break;
  }
  expect(calls.closed).toBe(1);
});
