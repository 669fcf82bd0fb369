import { expect, test } from 'vitest';
import { Lifecycle } from './lifecycle.js';
import { gate } from './testing/gate.js';
import { silent } from './testing/log.js';

const lifecycle = (timeoutMs = 10_000) => new Lifecycle({ log: silent, timeoutMs });

test('what was started is stopped in the reverse order, each part after the one before it is through', async () => {
  const order: string[] = [];
  const life = lifecycle();
  for (const name of ['database', 'bus', 'http']) {
    await life.start(
      name,
      () => name,
      async (part) => {
        order.push(`${part} stops`);
        await Promise.resolve();
        order.push(`${part} has stopped`);
      },
    );
  }
  expect(life.stopping).toBe(false);
  expect(await life.stop()).toBe(true);
  expect(life.stopping).toBe(true);
  expect(order).toEqual(
    ['http', 'bus', 'database'].flatMap((name) => [`${name} stops`, `${name} has stopped`]),
  );
});

test('stopping twice stops once', async () => {
  let stops = 0;
  const life = lifecycle();
  await life.start(
    'part',
    () => null,
    () => {
      stops += 1;
    },
  );
  expect(await Promise.all([life.stop(), life.stop()])).toEqual([true, true]);
  expect(stops).toBe(1);
});

test('a part that fails to start is not stopped, and those before it are', async () => {
  const order: string[] = [];
  const life = lifecycle();
  await life.start(
    'first',
    () => null,
    () => void order.push('first'),
  );
  const second = life.start(
    'second',
    () => Promise.reject(new Error('no port')),
    () => void order.push('second'),
  );
  await expect(second).rejects.toThrow('no port');
  expect(await life.stop()).toBe(true);
  expect(order).toEqual(['first']);
});

test('a part that fails to stop, or throws, does not keep the others from stopping', async () => {
  const order: string[] = [];
  const life = lifecycle();
  await life.start(
    'first',
    () => null,
    () => void order.push('first'),
  );
  await life.start(
    'second',
    () => null,
    () => Promise.reject(new Error('no')),
  );
  await life.start(
    'third',
    () => null,
    () => {
      throw new Error('no');
    },
  );
  expect(await life.stop()).toBe(false);
  expect(order).toEqual(['first']);
});

test('a part that never stops is left behind when the time is up', async () => {
  const order: string[] = [];
  const life = lifecycle(50);
  await life.start(
    'first',
    () => null,
    () => void order.push('first'),
  );
  await life.start(
    'hanging',
    () => null,
    () => new Promise(() => {}),
  );
  expect(await life.stop()).toBe(false);
  expect(order).toEqual(['first']);
});

test('nothing starts once stopping has begun', async () => {
  const life = lifecycle();
  await life.stop();
  let started = false;
  await expect(
    life.start(
      'late',
      () => {
        started = true;
      },
      () => {},
    ),
  ).rejects.toThrow('stopping: late');
  expect(started).toBe(false);
});

test('a part that was starting when stopping began is stopped as well, before what it stands on', async () => {
  const life = lifecycle();
  const order: string[] = [];
  const held = gate();
  await life.start(
    'first',
    () => null,
    () => void order.push('first'),
  );
  const starting = life.start(
    'slow',
    () => held.promise,
    () => void order.push('slow'),
  );
  const stopped = life.stop();
  expect(life.signal.aborted).toBe(true);
  held.resolve();
  await expect(starting).rejects.toThrow('stopping: slow');
  expect(await stopped).toBe(true);
  expect(order).toEqual(['slow', 'first']);
});

test('a part that never starts does not keep the others from stopping', async () => {
  const life = lifecycle(50);
  let stopped = false;
  await life.start(
    'first',
    () => null,
    () => {
      stopped = true;
    },
  );
  void life.start(
    'hanging',
    () => new Promise(() => {}),
    () => {},
  );
  expect(await life.stop()).toBe(false);
  expect(stopped).toBe(true);
});

test('a start that fails stops what it had started, and throws its failure', async () => {
  const life = lifecycle();
  let stopped = false;
  const begun = life.begin(async () => {
    await life.start(
      'first',
      () => null,
      () => {
        stopped = true;
      },
    );
    throw new Error('no port');
  });
  await expect(begun).rejects.toThrow('no port');
  expect(stopped).toBe(true);
});

test('a start that is told to stop ends then, even where it hangs', async () => {
  const life = lifecycle();
  const [told, began] = [new AbortController(), gate()];
  const begun = life.begin(async () => {
    await life.start(
      'first',
      () => null,
      () => {},
    );
    began.resolve();
    await new Promise(() => {});
  }, told.signal);
  await began.promise;
  told.abort();
  await expect(begun).rejects.toMatchObject({ name: 'StoppedError', clean: true });
});
