import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Bus } from '../bus/bus.js';
import { toMessage } from '../bus/event.js';
import { inboxConsumer } from '../inbox.js';
import type { Database } from '../postgres/database.js';
import { type BusStorage, type Note, noteContract } from './bus-storage.js';
import { startScript } from './script.js';
import { createServiceDatabase } from './service-tables.js';

/** The part of the contract that needs a database: effects are single, and survive a kill -9. */
export function killContract(options: {
  storage: () => BusStorage;
  start: (register: (bus: Bus) => void) => Promise<Bus>;
  patient: { timeout: number; interval: number };
}): void {
  const { storage, start, patient } = options;
  describe('with a database', () => {
    let service: Awaited<ReturnType<typeof createServiceDatabase>>;

    beforeEach(async () => {
      service = await createServiceDatabase();
      await service.database.query(
        'create table effects (at bigint generated always as identity, key text, n int)',
      );
    });
    afterEach(() => service.drop());

    const effects = async (): Promise<Note[]> =>
      (await service.database.query<Note>('select key, n from effects order by at', [])).rows;

    const noting = (database: Database, group: string, contract: ReturnType<typeof noteContract>) =>
      inboxConsumer({
        database,
        group,
        contract,
        async handle(tx, events) {
          for (const { data } of events)
            await tx.query('insert into effects (key, n) values ($1, $2)', [data.key, data.n]);
        },
      });

    test('an event that is published twice has its effect once', async () => {
      const contract = noteContract();
      const bus = await start((opened) => opened.consume(noting(service.database, 'twice', contract)));
      const message = toMessage('test', contract, { key: 'a', n: 1 }, new Date());
      await bus.publish([message, message]);
      await expect.poll(effects, patient).toEqual([{ key: 'a', n: 1 }]);
      await bus.publish([message]);
      await bus.publish([toMessage('test', contract, { key: 'a', n: 2 }, new Date())]);
      await expect.poll(effects, patient).toEqual([
        { key: 'a', n: 1 },
        { key: 'a', n: 2 },
      ]);
    });

    test('kill -9 after the effects stand and before the bus knows it does nothing twice', async () => {
      const contract = noteContract();
      const messages = [0, 1, 2].map((n) => toMessage('test', contract, { key: 'a', n }, new Date()));
      const onCommit = `console.log('committed'); process.kill(process.pid, 'SIGKILL');`;
      const script = startScript(
        child({ storage: storage(), contract, url: service.url, messages, stopAt: -1, onCommit }),
      );
      expect(await script.line()).toBe('committed');
      await script.kill();
      const before = await effects();
      expect(before.length).toBeGreaterThan(0);
      const bus = await start((opened) => opened.consume(noting(service.database, 'killed', contract)));
      // Published again, as the relay of a service does that was killed before it knew of it.
      await bus.publish(messages);
      await bus.publish([toMessage('test', contract, { key: 'a', n: 3 }, new Date())]);
      await expect.poll(async () => (await effects()).map(({ n }) => n), patient).toEqual([0, 1, 2, 3]);
    });

    test('kill -9 in the middle of a batch, again and again, loses nothing and does nothing twice', async () => {
      const contract = noteContract();
      const keys = ['a', 'b', 'c'].map((key) => `${key}-${randomUUID()}`);
      const publisher = await start((opened) => opened.consume(noting(service.database, 'killed', contract)));
      const all = Array.from({ length: 150 }, (_, n) => ({ key: keys[n % 3] ?? '', n }));
      // The first ones are handled here, so that the topic stands and the group is known.
      await publisher.publish(all.slice(0, 3).map((note) => toMessage('test', contract, note, new Date())));
      await expect.poll(async () => (await effects()).length, patient).toBe(3);
      await publisher.stop();

      const messages = all.slice(3).map((note) => toMessage('test', contract, note, new Date()));
      for (const stopAt of [40, 90]) {
        const script = startScript(
          child({ storage: storage(), contract, url: service.url, messages, stopAt }),
        );
        try {
          expect(await script.line()).toBe(`handling ${stopAt}`);
        } finally {
          await script.kill();
        }
      }
      await start((opened) => opened.consume(noting(service.database, 'killed', contract)));
      await expect.poll(async () => (await effects()).length, patient).toBeGreaterThanOrEqual(all.length);
      const done = await effects();
      expect(done.map(({ n }) => n).toSorted((a, b) => a - b)).toEqual(all.map(({ n }) => n));
      for (const key of keys) {
        expect(done.filter((note) => note.key === key)).toEqual(all.filter((note) => note.key === key));
      }
    });
  });
}

/** A service whose handler prints when it has come to one event, its transaction open, and never goes on. */
const child = (options: {
  storage: BusStorage;
  contract: { topic: string };
  url: string;
  messages: unknown[];
  stopAt: number;
  /** What it does once the effects stand. */
  onCommit?: string;
}): string => `
  import { z } from 'zod';
  import { inboxConsumer } from './platform/inbox.ts';
  import { openDatabase } from './platform/postgres/database.ts';
  ${options.storage.openInScript}
  const database = openDatabase({ url: ${JSON.stringify(options.url)}, service: 'test' });
  const contract = {
    topic: ${JSON.stringify(options.contract.topic)},
    schema: z.object({ key: z.string(), n: z.int() }),
    key: ({ key }) => key,
  };
  bus.consume(inboxConsumer({ database, group: 'killed', contract, committed() { ${options.onCommit ?? ''} }, async handle(tx, events) {
    for (const { data } of events) {
      await tx.query('insert into effects (key, n) values ($1, $2)', [data.key, data.n]);
      if (data.n !== ${options.stopAt}) continue;
      console.log('handling ${options.stopAt}');
      await new Promise(() => {});
    }
  }}));
  await bus.start();
  // The relay of a service that was killed publishes again what it does not know to be safe.
  const messages = ${JSON.stringify(options.messages)};
  for (let at = 0; at < messages.length; at += 30) await bus.publish(messages.slice(at, at + 30));
`;
