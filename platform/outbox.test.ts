import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Bus } from './bus/bus.js';
import { type Message, toMessage } from './bus/event.js';
import { metrics } from './metrics.js';
import { insertOutbox, startRelay } from './outbox.js';
import { type Database, openDatabase } from './postgres/database.js';
import { type Note, noteContract } from './testing/bus-storage.js';
import { gate } from './testing/gate.js';
import { silent } from './testing/log.js';
import { createServiceDatabase } from './testing/service-tables.js';

let service: Awaited<ReturnType<typeof createServiceDatabase>>;
let database: Database;
let relays: { stop(): Promise<void> }[];
let opened: Database[];
const contract = noteContract();
const patient = { timeout: 15_000, interval: 10 };

beforeEach(async () => {
  service = await createServiceDatabase();
  database = service.database;
  relays = [];
  opened = [];
});
afterEach(async () => {
  await Promise.all(relays.map((relay) => relay.stop()));
  await Promise.all(opened.map((each) => each.close()));
  await service.drop();
});

/** A bus that keeps what is published; `publish` may be told to do something else. */
function keepingBus(publish: (messages: Message[]) => Promise<void> = async () => {}) {
  const published: number[] = [];
  const bus: Pick<Bus, 'publish'> = {
    async publish(messages) {
      await publish(messages);
      published.push(...messages.map(({ value }) => (JSON.parse(value) as { data: Note }).data.n));
    },
  };
  return { bus: bus as Bus, published };
}

function relay(bus: Bus, on: Database = database, options: { service?: string; batchSize?: number } = {}) {
  const started = startRelay({
    service: 'test',
    database: on,
    bus,
    log: silent,
    measureMs: 20,
    ...options,
  });
  relays.push(started);
  return started;
}

/** Another replica: it has connections of its own. */
function replica(): Database {
  const other = openDatabase({ url: service.url, service: 'replica' });
  opened.push(other);
  return other;
}

const write = (...numbers: number[]) =>
  database.transaction((tx) =>
    insertOutbox(
      tx,
      numbers.map((n) => toMessage('test', contract, { key: 'a', n }, new Date())),
    ),
  );

const kept = async (): Promise<number> =>
  (await database.query<{ count: number }>('select count(*) from outbox', [])).rows[0]?.count ?? -1;

/** A metric's value for a service: of all its topics, or of one of a histogram's series. */
async function measured(
  name: Exclude<keyof typeof metrics, 'registry'>,
  service: string,
  series?: string,
): Promise<number | undefined> {
  const { values } = (await metrics[name].get()) as {
    values: { value: number; labels: { service?: string }; metricName?: string }[];
  };
  const ours = values.filter(
    ({ labels, metricName }) =>
      labels.service === service && (series === undefined || metricName?.endsWith(series)),
  );
  return ours.length === 0 ? undefined : ours.reduce((sum, { value }) => sum + value, 0);
}

/** The connection that holds the relay's lock. */
const leader = async (): Promise<number | undefined> =>
  (
    await database.query<{ pid: number }>(
      `select pid from pg_locks where locktype = 'advisory' and granted
       and database = (select oid from pg_database where datname = current_database())`,
      [],
    )
  ).rows[0]?.pid;

const cut = (pid: number | undefined) => database.query('select pg_terminate_backend($1)', [pid]);

test('the relay publishes what stands in the outbox, in order, and deletes it', async () => {
  const numbers = Array.from({ length: 250 }, (_, n) => n);
  await write(...numbers.slice(0, 150));
  await write(...numbers.slice(150));
  const { bus, published } = keepingBus();
  relay(bus);
  await expect.poll(kept, patient).toBe(0);
  expect(published).toEqual(numbers);
});

test('a message arrives at the bus as it was written', async () => {
  const seen: Message[] = [];
  const { bus } = keepingBus(async (messages) => void seen.push(...messages));
  relay(bus);
  const message = toMessage('test', contract, { key: randomUUID(), n: 1 }, new Date());
  await database.transaction((tx) => insertOutbox(tx, [message]));
  await expect.poll(() => seen, patient).toMatchObject([message]);
});

test('what is rolled back is never published', async () => {
  const { bus, published } = keepingBus();
  relay(bus);
  const failing = database.transaction(async (tx) => {
    await insertOutbox(tx, [toMessage('test', contract, { key: 'a', n: 1 }, new Date())]);
    throw new Error('no');
  });
  await expect(failing).rejects.toThrow('no');
  await write(2);
  await expect.poll(() => published, patient).toEqual([2]);
});

test('an insert wakes the relay long before its poll is due', async () => {
  const { bus, published } = keepingBus();
  relay(bus);
  await write(0);
  await expect.poll(() => published.length, patient).toBe(1);
  const latencies: number[] = [];
  for (let n = 1; n <= 5; n += 1) {
    await expect.poll(kept, patient).toBe(0);
    const writtenAt = performance.now();
    await write(n);
    await expect.poll(() => published.length, patient).toBe(n + 1);
    latencies.push(performance.now() - writtenAt);
  }
  // The poll alone would take 500 ms on average, and the machine may be slow now and then.
  expect(latencies.toSorted((a, b) => a - b)[2]).toBeLessThan(250);
});

test('a relay whose connection is terminated comes back, and loses nothing', async () => {
  const { bus, published } = keepingBus();
  relay(bus);
  await write(1);
  await expect.poll(() => published, patient).toEqual([1]);
  const first = await leader();
  await cut(first);
  await write(2);
  await expect.poll(() => published, patient).toEqual([1, 2]);
  expect(await leader()).not.toBe(first);
});

test('of two relays only one publishes; the other takes over when its connection dies', async () => {
  const [one, two] = [keepingBus(), keepingBus()];
  relay(one.bus);
  await expect.poll(leader, patient).toBeDefined();
  const first = await leader();
  const stopped = relays[0];
  relay(two.bus, replica());
  for (let n = 1; n <= 20; n += 1) await write(n);
  await expect.poll(kept, patient).toBe(0);
  expect(one.published).toHaveLength(20);
  expect(two.published).toEqual([]);
  await stopped?.stop();
  await write(21);
  await expect.poll(() => two.published, patient).toEqual([21]);
  expect(await leader()).not.toBe(first);
});

test('a relay that has lost its lock in the middle of a batch deletes nothing more', async () => {
  const [began, held] = [gate(), gate()];
  let calls = 0;
  const { bus, published } = keepingBus(async () => {
    calls += 1;
    if (calls > 1) throw new Error('the bus is away');
    began.resolve();
    await held.promise;
  });
  relay(bus);
  await write(1);
  await began.promise;
  const first = await leader();
  await cut(first);
  await expect.poll(leader, patient).not.toBe(first);
  held.resolve();
  // It comes back like every relay, and finds what it could not delete.
  await expect.poll(() => calls, patient).toBeGreaterThan(1);
  expect(published).toEqual([1]);
  expect(await kept()).toBe(1);
});

test('while the bus fails the outbox keeps everything, and publishes it later in order', async () => {
  let tries = 0;
  const { bus, published } = keepingBus(async () => {
    tries += 1;
    if (tries <= 4) throw new Error('the bus is away');
  });
  relay(bus);
  await write(1, 2);
  await expect.poll(() => tries, patient).toBeGreaterThanOrEqual(2);
  expect(await kept()).toBe(2);
  await write(3);
  await expect.poll(kept, patient).toBe(0);
  expect(published).toEqual([1, 2, 3]);
});

test('stopping waits for the batch that is being published, and frees the lock', async () => {
  const [began, held] = [gate(), gate()];
  const { bus, published } = keepingBus(async () => {
    began.resolve();
    await held.promise;
  });
  const running = relay(bus);
  await write(1);
  await began.promise;
  const stopped = running.stop();
  held.resolve();
  await stopped;
  expect(published).toEqual([1]);
  expect(await kept()).toBe(0);
  await expect.poll(leader, patient).toBeUndefined();
});

test('stopping is quick while the database is away', async () => {
  const away = openDatabase({ url: 'postgres://nobody@127.0.0.1:1/none', service: 'away' });
  opened.push(away);
  const { bus } = keepingBus();
  const began = performance.now();
  await relay(bus, away).stop();
  expect(performance.now() - began).toBeLessThan(4_000);
});

test('while the bus is away, the depth of the outbox, its age and the failures are seen to rise, and to fall after', async () => {
  const service = 'depth';
  let away = true;
  const { bus } = keepingBus(async () => {
    if (away) throw new Error('the bus is away');
  });
  const running = relay(bus, database, { service });
  await expect.poll(() => measured('outboxEvents', service), patient).toBe(0);
  expect(await measured('outboxAge', service)).toBe(0);

  await write(1, 2);
  await expect.poll(() => measured('outboxEvents', service), patient).toBe(2);
  await write(3);
  await expect.poll(() => measured('outboxEvents', service), patient).toBe(3);
  const young = (await measured('outboxAge', service)) ?? 0;
  await expect.poll(() => measured('outboxAge', service), patient).toBeGreaterThan(young);
  await database.query(`update outbox set created_at = created_at - interval '1 hour' where key = 'a'`, []);
  await expect.poll(() => measured('outboxAge', service), patient).toBeGreaterThan(3_600);
  expect(await measured('outboxAge', service)).toBeLessThan(3_600 + 60);
  // An attempt fails with every event that it carried.
  await expect.poll(() => measured('eventsFailed', service), patient).toBeGreaterThanOrEqual(3);
  expect(await measured('eventsPublished', service)).toBeUndefined();

  away = false;
  await expect.poll(() => measured('outboxEvents', service), patient).toBe(0);
  expect(await measured('outboxAge', service)).toBe(0);
  expect(await measured('eventsPublished', service)).toBe(3);
  await running.stop();
  expect(await measured('outboxEvents', service)).toBeUndefined();
  expect(await measured('outboxAge', service)).toBeUndefined();
});

test('an outbox that cannot be measured has no depth, rather than an old one', async () => {
  const service = 'unmeasured';
  relay(keepingBus().bus, database, { service });
  await expect.poll(() => measured('outboxEvents', service), patient).toBe(0);
  await database.query('alter table outbox rename to elsewhere', []);
  await expect.poll(() => measured('outboxEvents', service), patient).toBeUndefined();
  expect(await measured('outboxAge', service)).toBeUndefined();
  await database.query('alter table elsewhere rename to outbox', []);
  await expect.poll(() => measured('outboxEvents', service), patient).toBe(0);
});

test('a replica that is not the relay measures the outbox too', async () => {
  // A bus that hangs: one that fails would cost the leader its lock, and give it to the other.
  const hangs = gate();
  const { bus } = keepingBus(() => hangs.promise);
  relay(bus, database, { service: 'leading' });
  await expect.poll(leader, patient).toBeDefined();
  relay(bus, replica(), { service: 'waiting' });
  try {
    await write(1, 2);
    await expect.poll(() => measured('outboxEvents', 'waiting'), patient).toBe(2);
    expect(await measured('batchSize', 'waiting', '_count')).toBeUndefined();
  } finally {
    hangs.resolve();
  }
});

test('a batch holds as many events as it is told, and how many and how long is measured', async () => {
  const service = 'batches';
  const sizes: number[] = [];
  const { bus } = keepingBus(async (messages) => void sizes.push(messages.length));
  await write(1, 2, 3, 4, 5, 6, 7);
  relay(bus, database, { service, batchSize: 3 });
  await expect.poll(kept, patient).toBe(0);
  expect(sizes).toEqual([3, 3, 1]);
  expect(await measured('batchSize', service, '_count')).toBe(3);
  expect(await measured('batchSize', service, '_sum')).toBe(7);
  expect(await measured('publishDuration', service, '_count')).toBe(3);
  expect(await measured('publishDuration', service, '_sum')).toBeLessThan(5);
});
