import { expect, test } from 'vitest';
import { createBell, pause } from './bell.js';

const longMs = 60_000;

test('a ring wakes who waits, and one while nobody waited counts for the next wait', async () => {
  const bell = createBell();
  const waiting = bell.wait(longMs);
  bell.ring();
  await waiting;
  bell.ring();
  bell.ring();
  await bell.wait(longMs);
});

test('rings do not add up: after one wait the next one waits', async () => {
  const bell = createBell();
  bell.ring();
  bell.ring();
  await bell.wait(longMs);
  let woken = false;
  const waiting = bell.wait(longMs).then(() => {
    woken = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(woken).toBe(false);
  bell.ring();
  await waiting;
});

test('a wait ends by itself when its time is up', async () => {
  await createBell().wait(1);
});

test('a pause ends when the signal aborts, and at once when it has', async () => {
  const signal = new AbortController();
  const waiting = pause(longMs, signal.signal);
  signal.abort();
  await waiting;
  await pause(longMs, signal.signal);
});
