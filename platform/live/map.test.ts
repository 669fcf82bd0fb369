import { expect, test } from 'vitest';
import { type Gate, gate } from '../testing/gate.js';
import { createChannel } from './channel.js';
import { mapEvents } from './map.js';

const next = () => new Promise((resolve) => setImmediate(resolve));

/** What maps numbers, each when its gate is opened. */
function slowMap() {
  const closed: number[] = [];
  const source = createChannel<number>({
    limit: 1_000,
    overflow: () => new Error('full'),
    onClose: () => void closed.push(1),
  });
  const gates: Gate[] = [];
  let ends = 0;
  const mapped = mapEvents(source, {
    async map(event) {
      const opened = gate();
      gates.push(opened);
      await opened.promise;
      if (event < 0) throw new Error(`${event} cannot be mapped`);
      return event * 10;
    },
    onEnd: () => ends++,
  });
  return { source, mapped, gates, ends: () => ends, isReleased: () => closed.length === 1 };
}

test('what is there already is mapped at once, so many at most, and told in order', async () => {
  const { source, mapped, gates } = slowMap();
  for (let event = 1; event <= 100; event++) source.push(event);
  const first = mapped.next();
  await next();
  expect(gates.length).toBeGreaterThan(4);
  expect(gates.length).toBeLessThan(12);
  // The last is done first.
  for (const one of gates.toReversed()) one.resolve();
  expect(await first).toEqual({ done: false, value: 10 });
  for (let event = 2; event <= 100; event++) {
    const coming = mapped.next();
    await next();
    for (const one of gates) one.resolve();
    expect(await coming).toEqual({ done: false, value: event * 10 });
  }
});

test('nothing is taken from a source before somebody asks', async () => {
  const { source, mapped, gates } = slowMap();
  source.push(1);
  await next();
  expect([gates.length, source.size]).toEqual([0, 1]);
  await mapped.return?.();
});

test('it ends with its source, after all that came before', async () => {
  const { source, mapped, gates, ends } = slowMap();
  source.push(1);
  source.push(2);
  source.end();
  const first = mapped.next();
  await next();
  for (const one of gates) one.resolve();
  expect([await first, await mapped.next()]).toMatchObject([{ value: 10 }, { value: 20 }]);
  expect(ends()).toBe(0);
  expect(await mapped.next()).toEqual({ done: true, value: undefined });
  expect(await mapped.next()).toEqual({ done: true, value: undefined });
  expect(ends()).toBe(1);
});

test('what cannot be mapped ends it in its turn, and releases the source', async () => {
  const { source, mapped, gates, ends, isReleased } = slowMap();
  for (const event of [1, -2, 3]) source.push(event);
  const first = mapped.next();
  await next();
  for (const one of gates.toReversed()) one.resolve();
  expect(await first).toMatchObject({ value: 10 });
  await expect(mapped.next()).rejects.toThrow('-2 cannot be mapped');
  expect(await mapped.next()).toEqual({ done: true, value: undefined });
  expect([ends(), isReleased()]).toEqual([1, true]);
});

test('an error of the source comes after what it brought', async () => {
  const { source, mapped, gates, ends } = slowMap();
  source.push(1);
  source.end(new Error('broken'));
  const first = mapped.next();
  await next();
  gates[0]?.resolve();
  expect(await first).toMatchObject({ value: 10 });
  await expect(mapped.next()).rejects.toThrow('broken');
  expect(ends()).toBe(1);
});

test('who leaves while he waits is let go, and the source with him', async () => {
  const { mapped, ends, isReleased } = slowMap();
  const waiting = mapped.next();
  await mapped.return?.();
  expect(await waiting).toEqual({ done: true, value: undefined });
  expect([ends(), isReleased()]).toEqual([1, true]);
});
