import { until } from '../../platform/testing/until.js';
import type { Client } from './client.js';
import type { LiveEnd, LiveMessage } from './live.js';

export interface Change {
  cursor: string;
  status: string;
}

const query = `subscription ($id: ID!, $after: Cursor) {
  deliveryStatusChanged(orderId: $id, after: $after) { cursor status } }`;

/**
 * Follows an order's delivery to its end as a good client does: whenever the subscription breaks it comes back
 * with the last cursor that it saw. Answers every change that was seen; throws for an end that is no outage.
 */
export async function follow(client: Client, orderId: string, token: string): Promise<Change[]> {
  const seen: Change[] = [];
  const attempt = async (): Promise<boolean> => {
    const after = seen.at(-1)?.cursor ?? null;
    const live = client.subscribe<{ deliveryStatusChanged: Change }>(query, { id: orderId, after }, token);
    const end = await live.ended;
    for (const { data, errors } of live.messages as LiveMessage<{ deliveryStatusChanged: Change }>[]) {
      if (errors || !data) throw new Error(JSON.stringify(errors));
      seen.push(data.deliveryStatusChanged);
    }
    if (!end.complete && !isOutage(end)) throw new Error(JSON.stringify(end));
    return end.complete;
  };
  await until(`order ${orderId} is followed to its end`, attempt, 90_000);
  return seen;
}

/** No code: there is no gateway; 1006: it was cut; 1001 and 1012: it restarts. */
const isOutage = ({ errors, close }: LiveEnd): boolean =>
  close === undefined
    ? errors.every(({ extensions }) => extensions.code === 'SERVICE_UNAVAILABLE')
    : [undefined, 1001, 1006, 1012].includes(close.code);
