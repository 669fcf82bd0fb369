import { expect } from 'vitest';
import { isOpen, type Model } from './model.js';
import type { World } from './world.js';

/** What the databases hold of the model's users, orders and couriers, in the model's words. */
export async function read({ databases: { order, payment, delivery } }: World, model: Model) {
  const [users, orders, couriers] = [model.users, model.orders, model.couriers].map((list) =>
    list.map(({ id }) => id),
  );
  const [balances, statuses, payments, deliveries, duties] = await Promise.all([
    payment.query<{ id: string; cents: number }>(
      'select user_id as id, balance_cents::float8 as cents from accounts where user_id = any($1::uuid[])',
      [users],
    ),
    order.query<{ id: string; status: string; copy: string | null }>(
      'select id, status, delivery_status as copy from orders where id = any($1::uuid[])',
      [orders],
    ),
    payment.query<{ id: string; status: string }>(
      'select order_id as id, status from payments where order_id = any($1::uuid[])',
      [orders],
    ),
    delivery.query<{ id: string; status: string; courier: string | null; attempts: number }>(
      `select order_id as id, status, courier_id as courier, attempts from deliveries
       where order_id = any($1::uuid[])`,
      [orders],
    ),
    delivery.query<{ id: string; off: boolean }>(
      'select id, off_duty as off from couriers where id = any($1::uuid[])',
      [couriers],
    ),
  ]);
  const by = <T extends { id: string }>({ rows }: { rows: T[] }) => new Map(rows.map((row) => [row.id, row]));
  const found = { balances: by(balances), orders: by(statuses), payments: by(payments) };
  const [brought, off] = [by(deliveries), by(duties)];
  return {
    balances: model.users.map(({ id }) => found.balances.get(id)?.cents ?? 0),
    orders: model.orders.map(({ id }) => ({
      status: found.orders.get(id)?.status,
      copy: found.orders.get(id)?.copy,
      payment: found.payments.get(id)?.status ?? null,
      delivery: brought.get(id)?.status ?? null,
      courier: brought.get(id)?.courier ?? null,
      attempts: brought.get(id)?.attempts ?? 0,
    })),
    offDuty: model.couriers.map(({ id }) => off.get(id)?.off),
  };
}

const paymentStatuses = {
  none: null,
  charged: 'SUCCESS',
  refused: 'INSUFFICIENT_FUNDS',
  refunded: 'REFUNDED',
};

type Found = Awaited<ReturnType<typeof read>>;

/** What was found is as the model says. */
export function compare(found: Found, model: Model): void {
  expect(found).toEqual({
    balances: model.users.map(({ balanceCents }) => balanceCents),
    orders: model.orders.map(({ status, copy, payment, delivery }) => ({
      ...{ status, copy, payment: paymentStatuses[payment], delivery: delivery?.status ?? null },
      courier: delivery && delivery.courier !== null ? model.couriers[delivery.courier]?.id : null,
      attempts: delivery?.attempts ?? 0,
    })),
    offDuty: model.couriers.map(({ isOffDuty }) => isOffDuty),
  });
}

/**
 * Once nothing is on its way, money and couriers are conserved, whatever happened: who has paid for what was delivered, or is
 * still to be, has that much less, and each courier that brings something brings one thing.
 */
export function conserved({ balances, orders }: Found, model: Model): void {
  const spent = model.users.map((_, user) =>
    model.orders
      .filter(
        (order, index) => order.user === user && ['PAID', 'COMPLETED'].includes(orders[index]?.status ?? ''),
      )
      .reduce((sum, { totalCents }) => sum + totalCents, 0),
  );
  expect(balances).toEqual(model.users.map(({ toppedUpCents }, user) => toppedUpCents - (spent[user] ?? 0)));
  const expectedPayment = { PAID: 'SUCCESS', COMPLETED: 'SUCCESS', INSUFFICIENT_FUNDS: 'INSUFFICIENT_FUNDS' };
  for (const { status, payment, delivery } of orders) {
    if (status === 'CANCELLED') expect([null, 'REFUNDED', 'INSUFFICIENT_FUNDS']).toContain(payment);
    else expect(payment).toBe(expectedPayment[status as keyof typeof expectedPayment]);
    if (status === 'CANCELLED') expect([null, 'CANCELLED', 'FAILED']).toContain(delivery);
    if (status === 'COMPLETED') expect(delivery).toBe('DELIVERED');
    if (status === 'PAID') expect(isOpen(delivery as never)).toBe(true);
    if (status === 'INSUFFICIENT_FUNDS') expect(delivery).toBeNull();
  }
  const busy = orders.flatMap(({ courier, delivery }) =>
    courier && isOpen(delivery as never) ? courier : [],
  );
  expect(new Set(busy).size).toBe(busy.length);
}
