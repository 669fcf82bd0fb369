import { expect, test } from 'vitest';
import { watchHanging } from './hanging.js';

const timeout = new DOMException('The operation was aborted due to timeout', 'TimeoutError');

test('fetches are refused from a timeout until the subgraph is ready', () => {
  let missing = true;
  const hanging = watchHanging(
    () => missing,
    () => 0,
  );
  expect(hanging.refuses()).toBe(false);
  hanging.failed(timeout);
  expect(hanging.refuses()).toBe(true);
  missing = false;
  expect(hanging.refuses()).toBe(false);
  missing = true;
  hanging.answered();
  expect(hanging.refuses()).toBe(false);
});

test('what fails at once is not refused', () => {
  const hanging = watchHanging(
    () => true,
    () => 0,
  );
  hanging.failed(new Error('connect ECONNREFUSED'));
  expect(hanging.refuses()).toBe(false);
});

test('a subgraph that never says that it is ready is tried by one fetch every 5 s', () => {
  let now = 0;
  const hanging = watchHanging(
    () => true,
    () => now,
  );
  hanging.failed(timeout);
  now = 4_999;
  expect(hanging.refuses()).toBe(true);
  now = 5_000;
  expect([hanging.refuses(), hanging.refuses()]).toEqual([false, true]);
  hanging.answered();
  expect(hanging.refuses()).toBe(false);
});
