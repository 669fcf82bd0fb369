import { isDeepStrictEqual } from 'node:util';
import type { Visitor } from './load.js';
import type { PlacedOrder } from './orders.js';

/** What is read of an answer to see that it is whole. */
interface Page {
  data: {
    order: {
      items: unknown[];
      user: unknown;
      payment: unknown;
      delivery: { courier: unknown; history: unknown[] };
    };
  };
}

/** The changes of a delivery that was brought: pending, in transit, out for delivery, delivered. */
const changes = 4;

/**
 * Asks every stack for the page of every order, and answers how many bytes a page has on average.
 * @throws Error where two differ, or where one lacks what all orders here have
 */
export async function checkAnswers(
  visitors: readonly (readonly [name: string, visitor: Visitor])[],
  orders: readonly PlacedOrder[],
): Promise<number> {
  let bytes = 0;
  for (const order of orders) {
    const texts = await Promise.all(visitors.map(([, visitor]) => visitor.page(order)));
    const [first, ...others] = texts.map((text) => JSON.parse(text) as Page);
    const shown = first?.data.order;
    const whole =
      shown?.items.length &&
      shown.user &&
      shown.payment &&
      shown.delivery.courier &&
      shown.delivery.history.length === changes;
    if (!whole) throw new Error(`this page lacks something: ${texts[0]}`);
    const other = others.findIndex((answer) => !isDeepStrictEqual(answer, first));
    if (other !== -1)
      throw new Error(
        `${visitors[other + 1]?.[0]} answers otherwise than ${visitors[0]?.[0]}:\n${texts.join('\n')}`,
      );
    bytes += Buffer.byteLength(texts[0] ?? '');
  }
  return Math.round(bytes / orders.length);
}
