import { expect, test } from 'vitest';
import { endOfTurn } from './turn.js';

test('a turn ends once what has come in is computed, for all at once, and before what comes later', async () => {
  const order: string[] = [];
  const note = (what: string) => () => void order.push(what);
  const waiting = [endOfTurn().then(note('first')), endOfTurn().then(note('second'))];
  process.nextTick(note('tick'));
  queueMicrotask(() => queueMicrotask(note('computed')));
  const next = endOfTurn().then(() => endOfTurn().then(note('next turn')));
  setImmediate(note('immediate'));
  await Promise.all([...waiting, next]);
  expect(order).toEqual(['computed', 'tick', 'first', 'second', 'immediate', 'next turn']);
});
