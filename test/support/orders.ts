import { until } from '../../platform/testing/until.js';
import type { Client, Customer } from './client.js';

/** What became of one try: an answer, or none because nobody could be reached, or an outage that was said. */
type Try = { id: string } | undefined;

/**
 * Places an order as a good client does: again and again, under one key, until an answer comes. Calls `onLost`
 * for each request that was sent and never answered. Throws for a refusal that is no outage.
 */
export async function placeOrder(
  client: Client,
  customer: Customer,
  idempotencyKey: string,
  onLost: (error: unknown) => void = () => {},
): Promise<string> {
  const attempt = async (): Promise<Try> => {
    try {
      return { id: await client.order(customer, { idempotencyKey }) };
    } catch (error) {
      if (isOutage(error)) return undefined;
      if (!(error instanceof TypeError)) throw error;
      // What fetch throws where no answer came.
      const { code } = (error.cause ?? {}) as { code?: string };
      if (code !== 'ECONNREFUSED') onLost(error.cause);
      return undefined;
    }
  };
  return (await until(`the order '${idempotencyKey}' is accepted`, attempt, 90_000)).id;
}

/** An answer whose every error says that a service is away. */
export function isOutage(error: unknown): boolean {
  if (!(error instanceof Error) || !error.message.startsWith('{')) return false;
  const { errors = [] } = JSON.parse(error.message) as { errors?: { extensions: { code: string } }[] };
  return errors.length > 0 && errors.every(({ extensions }) => extensions.code === 'SERVICE_UNAVAILABLE');
}
