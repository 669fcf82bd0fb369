import { randomUUID } from 'node:crypto';
import { demoUsers } from '../../../events/demo.js';
import { until } from '../../../platform/testing/until.js';
import { dispatchOf } from '../dispatch.js';
import type { System } from '../system.js';
import type { Actor } from './actors.js';

export interface World {
  /** The access token of each; nobody has none. */
  tokens: Record<Actor, string | undefined>;
  /** What the questions are about. */
  ids: Record<string, string>;
}

/**
 * An owner with an order on its way, one that was refunded and one that is done; its courier, which has said where it
 * is; and all others. Needs a system in which nothing moves by itself.
 */
export async function createWorld(system: System): Promise<World> {
  const staff = (role: 'DISPATCHER' | 'ADMIN') =>
    system.sign({ id: demoUsers.find((user) => user.role === role)?.id ?? '', role });
  const dispatch = dispatchOf(system);
  const [owner, stranger] = await Promise.all([system.register(), system.register()]);
  const [courier, otherCourier] = [await dispatch.hire('Rosa'), await dispatch.hire('Emil')];
  await system.topUp(owner, '100.00');
  // What others may be had for may have been changed by who looks for trouble.
  const { upsertProduct: product } = await system.ask<{ upsertProduct: { id: string } }>(
    'mutation { upsertProduct(input: { name: "Lamp", price: "3.00" }) { id } }',
    {},
    await staff('ADMIN'),
  );
  const items = [{ productId: product.id, quantity: 1, price: '3.00' }];
  const [order, refunded, done] = [
    await system.order(owner, { items }),
    await system.order(owner, { items }),
    await system.order(owner, { items }),
  ];
  for (const id of [order, refunded, done]) await system.reaches(id, 'PAID');
  const deliveryOf = (id: string) =>
    until(
      'it has a delivery',
      async () =>
        (
          await system.sql<{ id: string }>('delivery', 'select id from deliveries where order_id = $1', [id])
        )[0]?.id,
    );
  for (const id of [order, refunded, done]) await deliveryOf(id);

  await dispatch.assign(done, courier.id);
  await dispatch.moveAlong(done, ['IN_TRANSIT', 'OUT_FOR_DELIVERY', 'DELIVERED'], courier.token);
  await system.reaches(done, 'COMPLETED');
  await dispatch.assign(order, courier.id);
  await dispatch.moveAlong(order, ['IN_TRANSIT'], courier.token);
  await system.ask('mutation { reportLocation(latitude: 52.5, longitude: 13.4) { id } }', {}, courier.token);
  await dispatch.move(order, 'OUT_FOR_DELIVERY', courier.token, 'the lift is broken');
  await dispatch.cancel(refunded, owner.token);
  const payment = await until('it is refunded', async () => {
    const text = "select id from payments where order_id = $1 and status = 'REFUNDED'";
    return (await system.sql<{ id: string }>('payment', text, [refunded]))[0]?.id;
  });
  await until('its order knows who brings it', async () => {
    const text =
      "select from orders where id = $1 and courier_user_id is not null and delivery_status = 'OUT_FOR_DELIVERY'";
    return (await system.sql('order', text, [order])).length > 0;
  });
  // One that nobody can read is put aside.
  await system.sql(
    'order',
    "insert into outbox (event_id, topic, key, value, headers) values (uuidv7(), 'payment.completed', 'k', 'no JSON', '{}')",
  );
  const event = await until('its events are stored', async () => {
    const text =
      "select id from events where order_id = $1 and type = 'delivery.status.updated' and data ->> 'status' = 'OUT_FOR_DELIVERY'";
    return (await system.sql<{ id: string }>('event', text, [order]))[0]?.id;
  });
  const [account] = await system.sql<{ id: string }>(
    'payment',
    'select id from accounts where user_id = $1',
    [owner.userId],
  );
  const [charge] = await system.sql<{ id: string }>(
    'payment',
    'select id from payments where order_id = $1',
    [order],
  );
  return {
    tokens: {
      nobody: undefined,
      owner: owner.token,
      stranger: stranger.token,
      courier: courier.token,
      otherCourier: otherCourier.token,
      dispatcher: await staff('DISPATCHER'),
      admin: await staff('ADMIN'),
    },
    ids: {
      ...{ order, done, refunded: payment, payment: charge?.id ?? '', account: account?.id ?? '' },
      ...{ event, delivery: await deliveryOf(order), courier: courier.id, user: owner.userId },
      product: system.products[0]?.id ?? '',
      unknown: randomUUID(),
    },
  };
}
