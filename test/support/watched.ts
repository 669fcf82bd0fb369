import pg from 'pg';
import { expect, onTestFinished } from 'vitest';
import { until } from '../../platform/testing/until.js';
import type { Customer } from './client.js';
import type { Live } from './live.js';
import type { System } from './system.js';

/** A change of a delivery as it is seen: its status, who moved it, and why. */
export type SeenChange = [status: string, by: string, reason: string | null];

interface DeliveryChange {
  cursor: string;
  status: string;
  by: string;
  reason: string | null;
  order: { id: string };
}

/** Staff's subscription to all deliveries. */
export type Feed = Live<{ deliveriesChanged: DeliveryChange }>;

export const watchAll = (system: System): Feed =>
  system.subscribe(
    'subscription { deliveriesChanged { cursor status by reason order { id } } }',
    {},
    system.staffToken,
  );

/** An order whose customer watches it and its delivery from before the charge. */
export interface Watched {
  id: string;
  customer: Customer;
  orders: Live<{
    orderUpdated: { cursor: string; status: string; order: { deliveryStatus: string | null } };
  }>;
  deliveries: Live<{ deliveryStatusChanged: DeliveryChange }>;
}

/** A customer with 500.00. */
export async function rich(system: System): Promise<Customer> {
  const customer = await system.register();
  await system.topUp(customer, '500.00');
  return customer;
}

/** Does something in a transaction of payment's database, and holds it open until the answer is called, or the test ends. */
async function hold(system: System, statement: string, values: unknown[] = []): Promise<() => Promise<void>> {
  const client = new pg.Client({ connectionString: system.databaseUrl('payment') });
  await client.connect();
  onTestFinished(() => client.end());
  await client.query('begin');
  await client.query(statement, values);
  return async () => void (await client.query('commit'));
}

/** Holds the charge of a user's orders back, by the lock that it needs, until the answer is called. */
export const holdCharges = (system: System, userId: string): Promise<() => Promise<void>> =>
  hold(system, 'select from accounts where user_id = $1 for update', [userId]);

/** Has every charge wait before it looks at its order, until the answer is called; payment hears of cancels meanwhile. */
export const holdAllCharges = (system: System): Promise<() => Promise<void>> =>
  hold(system, 'lock table accounts in share mode');

/** Waits until a charge has begun, and can go no further for the lock that somebody holds. */
export const chargeWaits = (system: System): Promise<unknown> =>
  until('a charge waits', async () => {
    const rows = await system.sql(
      'payment',
      `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    return rows.length > 0;
  });

/** Places an order of which nothing has happened when both subscriptions have begun: `hold` sees to that. */
export async function placeHeld(
  system: System,
  customer: Customer,
  hold: () => Promise<() => Promise<void>> = () => holdCharges(system, customer.userId),
): Promise<Watched & { release(): Promise<void> }> {
  const release = await hold();
  return { ...(await place(system, customer)), release };
}

/** Orders of a customer that are paid, and whose deliveries wait or have just got their couriers. */
export async function placeAll(system: System, customer: Customer, count: number): Promise<Watched[]> {
  const release = await holdCharges(system, customer.userId);
  const placed = await Promise.all(Array.from({ length: count }, () => place(system, customer)));
  await release();
  await Promise.all(placed.map(({ deliveries }) => deliveries.waitFor(({ length }) => length === 1)));
  return placed;
}

/** One such order, of a customer of its own unless told. */
export async function placeWatched(system: System, customer?: Customer): Promise<Watched> {
  const [placed] = await placeAll(system, customer ?? (await rich(system)), 1);
  return placed as Watched;
}

async function place(system: System, customer: Customer): Promise<Watched> {
  const id = await system.order(customer);
  const orders: Watched['orders'] = system.subscribe(
    'subscription ($id: ID!) { orderUpdated(orderId: $id) { cursor status order { deliveryStatus } } }',
    { id },
    customer.token,
  );
  const deliveries: Watched['deliveries'] = system.subscribe(
    'subscription ($id: ID!) { deliveryStatusChanged(orderId: $id) { cursor status by reason order { id } } }',
    { id },
    customer.token,
  );
  await orders.waitFor(({ length }) => length === 1);
  return { id, customer, orders, deliveries };
}

const without = <T>(values: T[]): T[] =>
  values.filter((value, index) => index === 0 || value !== values[index - 1]);

const changesOf = ({ deliveries }: Watched): SeenChange[] =>
  deliveries.messages.map(({ data }) => seen(data?.deliveryStatusChanged));
const seen = (change: DeliveryChange | undefined): SeenChange => [
  change?.status ?? '',
  change?.by ?? '',
  change?.reason ?? null,
];

/** The numbers that the cursors of an order's or a delivery's changes carry. */
const numbersOf = (cursors: (string | undefined)[]): number[] =>
  cursors.map((cursor) =>
    Number(
      Buffer.from(cursor ?? '', 'base64url')
        .toString()
        .split('|')[1],
    ),
  );
const counted = (length: number) => Array.from({ length }, (_, index) => index + 1);

/**
 * Fails unless both of the customer's subscriptions complete by themselves, and have told each change once and in
 * order: the order's statuses are these, and the delivery's changes are these; staff has seen the latter too.
 */
export async function expectSeen(
  watched: Watched,
  expected: { orders: string[]; deliveries: SeenChange[] },
  feed: Feed,
): Promise<void> {
  const { id, orders, deliveries } = watched;
  expect([await orders.ended, await deliveries.ended]).toMatchObject([
    { complete: true },
    { complete: true },
  ]);
  expect(changesOf(watched)).toEqual(expected.deliveries);
  const updates = orders.messages.map(({ data }) => data?.orderUpdated);
  expect(without(updates.map((update) => update?.status))).toEqual(expected.orders);
  expect(updates.at(-1)?.order.deliveryStatus ?? null).toBe(expected.deliveries.at(-1)?.[0] ?? null);
  // Numbers without a gap, from the first: nothing is lost, and nothing comes twice.
  expect(numbersOf(updates.map((update) => update?.cursor))).toEqual(counted(updates.length));
  expect(numbersOf(deliveries.messages.map(({ data }) => data?.deliveryStatusChanged.cursor))).toEqual(
    counted(expected.deliveries.length),
  );
  await expectFeed(feed, id, expected.deliveries);
}

/** Fails unless staff has seen these changes of an order's delivery, each once and in order. */
export async function expectFeed(feed: Feed, orderId: string, expected: SeenChange[]): Promise<void> {
  const own = () =>
    feed.messages.flatMap(({ data }) =>
      data?.deliveriesChanged.order.id === orderId ? [data.deliveriesChanged] : [],
    );
  await feed.waitFor(() => own().length >= expected.length);
  expect(own().map(seen)).toEqual(expected);
}

/**
 * Waits until a customer's balance is this; then fails unless the account has had entries of these kinds and no other,
 * oldest first, and every account of the ledger adds up.
 */
export async function expectAccount(
  system: System,
  { token }: Customer,
  balance: string,
  kinds: string[],
): Promise<void> {
  const entries = await until(`the balance is ${balance}`, async () => {
    const { myAccount } = await system.ask<{
      myAccount: { balance: { amount: string }; entries: { nodes: { kind: string }[] } };
    }>('{ myAccount { balance { amount } entries(first: 100) { nodes { kind } } } }', {}, token);
    // A balance that is whole may be one that has not been charged yet.
    const isThere = myAccount.balance.amount === balance && myAccount.entries.nodes.length >= kinds.length;
    return isThere && myAccount.entries.nodes;
  });
  expect(entries.map(({ kind }) => kind).toReversed()).toEqual(kinds);
  expect(await system.sql('payment', 'select * from ledger_faults')).toEqual([]);
}
