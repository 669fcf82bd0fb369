import { randomUUID } from 'node:crypto';
import { cancellation } from '../../events/cancellation.js';
import type { AnyConsumer } from '../../platform/bus/bus.js';
import { type Event, parseMessage } from '../../platform/bus/event.js';
import { createLocalStore } from '../../platform/cache/store.js';
import type { Database } from '../../platform/postgres/database.js';
import { prismaOptions } from '../../platform/postgres/prisma.js';
import { cancelDelivery } from '../../subgraphs/delivery/cancel.js';
import { consumers as deliveryConsumers } from '../../subgraphs/delivery/consumers.js';
import { courierCommands } from '../../subgraphs/delivery/couriers.js';
import { dispatchCommands } from '../../subgraphs/delivery/dispatch.js';
import { orderCommands } from '../../subgraphs/order/commands.js';
import { consumers as orderConsumers } from '../../subgraphs/order/consumers.js';
import { PrismaClient as OrderPrisma } from '../../subgraphs/order/generated/prisma/client.js';
import { createProducts } from '../../subgraphs/order/reads.js';
import { paymentCommands } from '../../subgraphs/payment/commands.js';
import { consumers as paymentConsumers } from '../../subgraphs/payment/consumers.js';
import { PrismaClient as PaymentPrisma } from '../../subgraphs/payment/generated/prisma/client.js';
import { onlyCouriers, untold } from '../support/couriers.js';
import { dispatching } from '../support/deliveries.js';
import { serviceDatabase } from '../support/service.js';

const services = ['order', 'payment', 'delivery'] as const;
export type Service = (typeof services)[number];

/** What stays in order: the events of one topic and key, on their way to one group. */
export interface Lane {
  service: Service;
  consumer: AnyConsumer;
  waiting: Event[];
  handled: Event[];
}

interface OutboxRow {
  id: number;
  topic: string;
  key: string;
  value: string;
}

/** Orders, payments and deliveries on real databases, with nothing between them but what a test carries. */
export type World = Awaited<ReturnType<typeof createWorld>>;

export const priceCents = 500;

export async function createWorld(onEnd: (close: () => Promise<void>) => void) {
  const [order, payment, delivery] = (await Promise.all(
    services.map((service) => serviceDatabase(service, onEnd)),
  )) as [Database, Database, Database];
  const databases: Record<Service, Database> = { order, payment, delivery };
  const orderPrisma = new OrderPrisma(prismaOptions(order));
  const paymentPrisma = new PaymentPrisma(prismaOptions(payment));
  onEnd(async () => void (await Promise.all([orderPrisma.$disconnect(), paymentPrisma.$disconnect()])));
  const { geography } = dispatching;
  const productId = randomUUID();
  const orders = orderCommands(order, orderPrisma, {
    ask: (request) => cancelDelivery(delivery, cancellation.input.parse(request), geography),
  });
  await orders.ensureProducts([{ id: productId, name: 'Tea', description: 'Green', priceCents }]);

  const ignore = () => undefined;
  const consumers: { service: Service; consumer: AnyConsumer }[] = [
    ...orderConsumers(order, createProducts(order, createLocalStore()), ignore).map((consumer) => ({
      service: 'order' as const,
      consumer,
    })),
    ...paymentConsumers(payment, ignore).map((consumer) => ({ service: 'payment' as const, consumer })),
    ...deliveryConsumers(delivery, geography, untold).map((consumer) => ({
      service: 'delivery' as const,
      consumer,
    })),
  ];
  const collected = { order: 0, payment: 0, delivery: 0 };
  const lanes = new Map<string, Lane>();
  const counts = new Map<string, number>();

  return {
    databases,
    orders,
    productId,
    payments: paymentCommands(paymentPrisma),
    dispatch: dispatchCommands(delivery, dispatching),
    couriers: courierCommands(delivery, geography, onlyCouriers),

    /** Takes what stands in outboxes, all of them unless told, to the lanes of who consumes it. */
    async collect(from: readonly Service[] = services): Promise<void> {
      for (const service of from) {
        // What is past is not looked at again: nothing is under way in between.
        const { rows } = await databases[service].query<OutboxRow>(
          `with gone as (delete from outbox where id > $1 returning id, topic, key, value) select * from gone order by id`,
          [collected[service]],
        );
        for (const row of rows) {
          collected[service] = row.id;
          for (const [place, { service: to, consumer }] of consumers.entries()) {
            if (consumer.contract.topic !== row.topic) continue;
            const event = parseMessage(consumer.contract, { ...row, id: String(row.id), headers: {} });
            if (typeof event === 'string') throw new Error(event);
            const name = `${place} ${row.key}`;
            const lane = lanes.get(name) ?? { service: to, consumer, waiting: [], handled: [] };
            lanes.set(name, lane);
            lane.waiting.push(event);
          }
        }
      }
    },

    /** How often what was done. */
    counts,
    count: (what: string) => void counts.set(what, (counts.get(what) ?? 0) + 1),

    /** All that waits for one consumer, of all keys together, as a partition has it; undefined where nothing waits. */
    async carryNext(): Promise<{ lane: Lane; events: Event[] } | undefined> {
      const waiting = [...lanes.values()].filter((lane) => lane.waiting.length > 0);
      const [lane] = waiting;
      if (!lane) return undefined;
      const events = waiting.flatMap((one) => {
        if (one.consumer !== lane.consumer) return [];
        const all = one.waiting.splice(0);
        one.handled.push(...all);
        return all;
      });
      await lane.consumer.handle(events);
      return { lane, events };
    },

    /** Lanes in which something waits. */
    busy: (): Lane[] => [...lanes.values()].filter(({ waiting }) => waiting.length > 0),
    all: (): Lane[] => [...lanes.values()],

    /** Nothing is under way any more. */
    forget: () => lanes.clear(),
  };
}

/** Hands so many events of a lane to its consumer, the first of them after so many that it has had already. */
export async function carry(lane: Lane, count: number, again = 0): Promise<Event[]> {
  const fresh = lane.waiting.splice(0, count);
  const batch = [...lane.handled.slice(lane.handled.length - Math.min(again, lane.handled.length)), ...fresh];
  lane.handled.push(...fresh);
  if (batch.length > 0) await lane.consumer.handle(batch);
  return fresh;
}
