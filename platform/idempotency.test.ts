import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { must, type Result, refusable, refuse } from './errors.js';
import { claim, type Repeatable, settle } from './idempotency.js';
import { gate } from './testing/gate.js';
import { createServiceDatabase } from './testing/service-tables.js';

let service: Awaited<ReturnType<typeof createServiceDatabase>>;

beforeAll(async () => {
  service = await createServiceDatabase();
  await service.database.query('create table effects (id uuid primary key, key text)');
});
afterAll(() => service.drop());

const request = (changes: Partial<Repeatable> = {}): Repeatable => ({
  userId: randomUUID(),
  mutation: 'topUp',
  key: randomUUID(),
  input: { amount: '1.00' },
  ...changes,
});

/** A mutation as a subgraph has it: claim, effect, settle; answers the id of what it made. */
const mutate = (
  asked: Repeatable,
  work: () => Promise<Result<null>> = async () => ({ ok: true, value: null }),
) =>
  refusable(() =>
    service.database.transaction(async (tx) => {
      const first = must(await claim(tx.query, asked));
      if (first !== null) return first;
      const id = randomUUID();
      await tx.query('insert into effects values ($1, $2)', [id, asked.key]);
      must(await work());
      await settle(tx.query, asked, id);
      return id;
    }),
  );

const effects = async ({ key }: Repeatable) =>
  (await service.database.query('select from effects where key = $1', [key])).rowCount;

test('the same key and input answers the first answer again, without its effect', async () => {
  const asked = request();
  const first = await mutate(asked);
  expect(first).toMatchObject({ ok: true });
  expect(await mutate({ ...asked, input: { amount: '1.00' } })).toEqual(first);
  expect(await effects(asked)).toBe(1);
});

test('two at once with the same key: the second waits, and gets the answer of the first', async () => {
  const asked = request();
  const [began, held] = [gate(), gate()];
  const first = mutate(asked, async () => {
    began.resolve();
    await held.promise;
    return { ok: true, value: null };
  });
  await began.promise;
  const others = [mutate(asked), mutate(asked)];
  await expect
    .poll(
      async () =>
        (
          await service.database.query(
            `select from pg_locks where not granted and locktype = 'transactionid'`,
            [],
          )
        ).rowCount,
    )
    .toBe(2);
  held.resolve();
  const answers = await Promise.all([first, ...others]);
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
  expect(await effects(asked)).toBe(1);
});

test('when the first of two is refused, the second has the effect', async () => {
  const asked = request();
  const [began, held] = [gate(), gate()];
  const first = mutate(asked, async () => {
    began.resolve();
    await held.promise;
    return refuse('CONFLICT', 'not now');
  });
  await began.promise;
  const second = mutate(asked);
  held.resolve();
  expect(await first).toMatchObject({ ok: false, code: 'CONFLICT' });
  expect(await second).toMatchObject({ ok: true });
  expect(await effects(asked)).toBe(1);
});

test('the same key with another input is refused', async () => {
  const asked = request();
  await mutate(asked);
  expect(await mutate({ ...asked, input: { amount: '2.00' } })).toMatchObject({
    ok: false,
    code: 'IDEMPOTENCY_CONFLICT',
    field: 'idempotencyKey',
  });
  expect(await effects(asked)).toBe(1);
});

test('the same key of another user, or for another mutation, is another key', async () => {
  const asked = request();
  await mutate(asked);
  await mutate({ ...asked, userId: randomUUID() });
  await mutate({ ...asked, mutation: 'createOrder' });
  expect(await effects(asked)).toBe(3);
});

test('a refusal leaves no trace: the key is free again', async () => {
  const asked = request();
  expect(await mutate(asked, async () => refuse('BAD_USER_INPUT', 'no'))).toMatchObject({ ok: false });
  expect(await effects(asked)).toBe(0);
  expect(await mutate({ ...asked, input: { amount: '3.00' } })).toMatchObject({ ok: true });
});

test('a key has two hundred characters at most, whatever places they take in UTF-16', async () => {
  expect(await mutate(request({ key: '💥'.repeat(200) }))).toMatchObject({ ok: true });
});

test.each(['', 'x'.repeat(201), '💥'.repeat(201)])('a key of a wrong length is refused', async (key) => {
  expect(await mutate(request({ key }))).toMatchObject({
    ok: false,
    code: 'BAD_USER_INPUT',
    field: 'idempotencyKey',
  });
});

test('a mutation that forgot to settle its key never runs twice', async () => {
  const asked = request();
  await service.database.transaction((tx) => claim(tx.query, asked));
  await expect(mutate(asked)).rejects.toThrow('never settled');
  expect(await effects(asked)).toBe(0);
});
