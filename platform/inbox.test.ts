import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Event, parseMessage, toMessage } from './bus/event.js';
import { inboxConsumer } from './inbox.js';
import { type Note, noteContract } from './testing/bus-storage.js';
import { createServiceDatabase } from './testing/service-tables.js';

let service: Awaited<ReturnType<typeof createServiceDatabase>>;
const contract = noteContract();

beforeEach(async () => {
  service = await createServiceDatabase();
  await service.database.query(
    'create table effects (at bigint generated always as identity, who text, n int)',
  );
});
afterEach(() => service.drop());

function note(n: number, spell: (id: string) => string = (id) => id): Event<Note> {
  const message = toMessage('test', contract, { key: 'a', n }, new Date());
  const event = parseMessage(contract, { ...message, value: message.value.replace(message.id, spell) });
  if (typeof event === 'string') throw new Error(event);
  return event;
}

const group = (name: string, fail: (n: number) => boolean = () => false) =>
  inboxConsumer({
    database: service.database,
    group: name,
    contract,
    async handle(tx, events) {
      for (const { data } of events) {
        await tx.query('insert into effects (who, n) values ($1, $2)', [name, data.n]);
        if (fail(data.n)) throw new Error('no');
      }
    },
  });

const effects = async (): Promise<string[]> =>
  (
    await service.database.query<{ effect: string }>(`select who || n as effect from effects order by at`, [])
  ).rows.map(({ effect }) => effect);

const inboxSize = async () =>
  (await service.database.query<{ count: number }>('select count(*) from inbox', [])).rows[0]?.count;

test('each group handles an event once, however often it comes', async () => {
  const [one, two] = [group('x'), group('y')];
  const [first, second] = [note(1), note(2)];
  await one.handle([first]);
  await one.handle([first, second]);
  await one.handle([second, first]);
  await two.handle([first]);
  expect(await effects()).toEqual(['x1', 'x2', 'y1']);
});

test('an event that stands twice in a batch is handled once, in its place', async () => {
  const [first, second] = [note(1), note(2)];
  await group('x').handle([first, second, first]);
  expect(await effects()).toEqual(['x1', 'x2']);
});

test('the handler is not called for a batch of old news', async () => {
  const event = note(1);
  await group('x').handle([event]);
  await group('x', () => true).handle([event]);
  expect(await effects()).toEqual(['x1']);
});

test('a failure leaves neither effects nor a trace in the inbox, so that the next try handles all', async () => {
  const events = [note(1), note(2)];
  await expect(group('x', (n) => n === 2).handle(events)).rejects.toThrow('no');
  expect(await effects()).toEqual([]);
  expect(await inboxSize()).toBe(0);
  await group('x').handle(events);
  expect(await effects()).toEqual(['x1', 'x2']);
});

test('two that handle the same event at once have its effect once', async () => {
  const events = [note(1), note(2), note(3)];
  await Promise.all([group('x').handle(events), group('x').handle(events), group('x').handle(events)]);
  expect(await effects()).toEqual(['x1', 'x2', 'x3']);
});

test('an event whose id is written in capitals is handled like any other', async () => {
  await group('x').handle([note(1, (id) => id.toUpperCase())]);
  expect(await effects()).toEqual(['x1']);
});
