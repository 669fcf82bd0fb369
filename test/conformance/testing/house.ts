import { randomUUID } from 'node:crypto';
import type { DeliveryStatus } from '../../../events/delivery.js';
import { openDatabase } from '../../../platform/postgres/database.js';
import { until } from '../../../platform/testing/until.js';
import { record } from '../../../subgraphs/delivery/changes.js';
import { nextStep } from '../../../subgraphs/delivery/domain.js';
import { type System, startSystem } from '../../support/system.js';
import type { Operation, Stream, Target } from '../target.js';

const orderUpdated = `subscription ($id: ID!, $after: Cursor) {
  orderUpdated(orderId: $id, after: $after) { cursor status order { deliveryStatus } } }`;
/** Its fields come from all subgraphs. */
const orderUpdatedWhole = `subscription ($id: ID!, $after: Cursor) {
  orderUpdated(orderId: $id, after: $after) {
    cursor status order { deliveryStatus user { firstName } payment { status } delivery { history { status } } } } }`;
const deliveryStatusChanged = `subscription ($id: ID!, $after: Cursor) {
  deliveryStatusChanged(orderId: $id, after: $after) { cursor status previous } }`;
const paymentCompleted = 'subscription ($id: ID!) { paymentCompleted(orderId: $id) { status } }';

export const houses = ['gateway', 'user', 'order', 'payment', 'delivery'] as const;
export type House = (typeof houses)[number];

/** A running Doorstep, and its servers as targets. Orders change only where an audit wants it. */
export async function startHouse(): Promise<{ targets: Record<House, Target>; stop(): Promise<void> }> {
  const system = await startSystem({ DELIVERY_SIMULATION: 'off' });
  const deliveries = openDatabase({ url: system.databaseUrl('delivery'), service: 'test' });
  const customer = await system.register();
  await system.topUp(customer, '1000.00');

  /** An order that is paid and waits for its courier. */
  async function order(): Promise<string> {
    const id = await system.order(customer);
    await until(`order ${id} has a delivery`, () => deliveryStatusOf(system, id), 60_000);
    return id;
  }

  /** Brings an order's delivery to another status. */
  const move = (orderId: string, to: (from: DeliveryStatus) => DeliveryStatus): Promise<void> =>
    deliveries.transaction(async (tx) => {
      const { rows } = await tx.query<{
        id: string;
        userId: string;
        status: DeliveryStatus;
        sequence: number;
      }>('select id, user_id as "userId", status, sequence from deliveries where order_id = $1 for update', [
        orderId,
      ]);
      const [found] = rows;
      if (!found) throw new Error(`order ${orderId} has no delivery`);
      // There are fewer couriers than orders here, and nothing moves without one.
      await tx.query(
        `with hired as (insert into couriers (name) select 'Hired' from deliveries where order_id = $1 and courier_id is null returning id)
         update deliveries set courier_id = hired.id from hired where order_id = $1`,
        [orderId],
      );
      const { id: deliveryId, userId, status: previous } = found;
      const [status, sequence] = [to(previous), found.sequence + 1];
      await tx.query('update deliveries set status = $2, sequence = $3 where id = $1', [
        deliveryId,
        status,
        sequence,
      ]);
      await record(tx, [
        {
          deliveryId,
          orderId,
          userId,
          courierUserId: null,
          sequence,
          previous,
          status,
          reason: null,
          by: 'courier',
          courierId: null,
        },
      ]);
    });
  const onward = (from: DeliveryStatus): DeliveryStatus => nextStep(from) ?? from;
  /** A courier may give a delivery back: so it changes for as long as it is wanted to. */
  const toAndFro = (from: DeliveryStatus): DeliveryStatus => (from === 'PENDING' ? 'IN_TRANSIT' : 'PENDING');

  const delivered = await order();
  for (let n = 0; n < 3; n++) await move(delivered, onward);
  await system.reaches(delivered, 'COMPLETED');

  const common = {
    headers: {},
    init: { authorization: `Bearer ${customer.token}` },
    refusedInit: { authorization: 'Bearer x.y.z' },
    query: { query: '{ __typename }' },
    mutation: { query: 'mutation { __typename }' },
    patienceMs: 30_000,
    initTimeoutMs: 15_000,
  };
  const finite = (query: string) => async (): Promise<Operation> => ({ query, variables: { id: delivered } });
  const changing = (query: string, field: string) => async (): Promise<Stream> => {
    const id = await order();
    return {
      operation: { query, variables: { id } },
      change: () => move(id, toAndFro),
      resume: { path: `${field}.cursor`, variable: 'after' },
    };
  };
  /** Payment has one event for each order: before it, the subscription stays open. */
  async function unpaid(): Promise<Stream> {
    const id = randomUUID();
    await system.sql('payment', 'insert into known_orders (order_id, user_id) values ($1, $2)', [
      id,
      customer.userId,
    ]);
    return { operation: { query: paymentCompleted, variables: { id } }, silent: true };
  }
  const url = (name: string): string => (system.subgraphs.get(name)?.url ?? '').replace('http', 'ws');

  return {
    targets: {
      gateway: {
        ...common,
        url: `${system.url.replace('http', 'ws')}/graphql`,
        query: { query: '{ products(first: 1) { nodes { name } } }' },
        stream: changing(orderUpdatedWhole, 'orderUpdated'),
        finite: finite(orderUpdatedWhole),
      },
      user: { ...common, url: url('user') },
      order: {
        ...common,
        url: url('order'),
        stream: changing(orderUpdated, 'orderUpdated'),
        finite: finite(orderUpdated),
      },
      payment: { ...common, url: url('payment'), stream: unpaid, finite: finite(paymentCompleted) },
      delivery: {
        ...common,
        url: url('delivery'),
        stream: changing(deliveryStatusChanged, 'deliveryStatusChanged'),
        finite: finite(deliveryStatusChanged),
      },
    },
    async stop() {
      await deliveries.close();
      await system.stop();
    },
  };
}

async function deliveryStatusOf(system: System, orderId: string): Promise<string | undefined> {
  const rows = await system.sql<{ status: string | null }>(
    'order',
    'select delivery_status as status from orders where id = $1',
    [orderId],
  );
  return rows[0]?.status ?? undefined;
}
