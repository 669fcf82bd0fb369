import { ask } from '../../platform/calls/http1/ask.js';
import { createPool } from '../../platform/calls/http1/pool.js';
import { httpRequest, startOf } from '../../platform/calls/http1/request.js';
import type { PlacedOrder } from './orders.js';

const patienceMs = 60_000;

/** The order page: what a customer sees of an order of theirs, from all four services. */
export const orderPage = `query OrderPage($id: ID!) {
  order(id: $id) {
    id status deliveryAddress createdAt
    total { amount currency }
    items { quantity price { amount } total { amount } product { id name price { amount } } }
    user { id firstName lastName }
    payment { id status amount { amount currency } createdAt }
    delivery { id status address courier { name } history { status at reason } }
  }
}`;

/** A client of one gateway that asks for order pages. */
export interface Visitor {
  /** The page of one order, as JSON. */
  page(order: PlacedOrder): Promise<string>;
  /**
   * Asks for page after page, for so long or so often, with so many requests under way; answers how long each
   * took, in ms.
   */
  visit(options: { concurrency: number } & ({ ms: number } | { requests: number })): Promise<number[]>;
  close(): Promise<void>;
}

/**
 * It sends what is ready to be written, and reads no JSON: what it costs, the gateway lacks. `url` is the gateway's,
 * up to the path.
 */
export function createVisitor(url: string, orders: readonly PlacedOrder[]): Visitor {
  const endpoint = new URL('/graphql', url);
  const limit = Number.POSITIVE_INFINITY;
  const pool = createPool({
    ...{ origin: endpoint.origin, connections: 1_024, connectMs: 5_000, idleMs: 30_000 },
    limits: { answer: limit, room: { taken: 0, most: limit } },
  });
  const requests = orders.map(({ id, token }) =>
    httpRequest(
      startOf('POST', endpoint),
      { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      JSON.stringify({ query: orderPage, variables: { id } }),
    ),
  );
  let next = 0;

  async function send(n: number): Promise<string> {
    const request = requests[n % requests.length];
    if (!request) throw new Error('there are no orders');
    const { status, text } = await ask(pool, request, { ms: patienceMs });
    if (status === 200 && !text.includes('"errors":')) return text;
    throw new Error(`a page was refused with HTTP ${status}: ${text}`);
  }

  return {
    page: (order) => send(orders.indexOf(order)),
    async visit(options) {
      const times: number[] = [];
      const end = 'ms' in options ? performance.now() + options.ms : Number.POSITIVE_INFINITY;
      const last = 'requests' in options ? next + options.requests : Number.POSITIVE_INFINITY;
      async function one(): Promise<void> {
        for (let began = performance.now(); began < end && next < last; began = performance.now()) {
          await send(next++);
          times.push(performance.now() - began);
        }
      }
      await Promise.all(Array.from({ length: options.concurrency }, one));
      return times;
    },
    close: () => pool.close(),
  };
}
