import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Read } from '../platform/live/source.js';
import type { Tx } from '../platform/postgres/database.js';
import { filterId, readFeed } from '../subgraphs/delivery/feed.js';
import { readDeliveryChanges } from '../subgraphs/delivery/live-reads.js';
import { readFeeds, readOrderChanges } from '../subgraphs/order/live-reads.js';
import { readPayments } from '../subgraphs/payment/reads.js';
import { serviceDatabase } from './support/service.js';

const byId = { start: 0, id: () => randomUUID() };
const everything = () => filterId({ status: null, courierId: null });

test.each([
  ['orders', 'order', readOrderChanges, byId],
  ['all orders of users', 'order', readFeeds, { ...byId, start: { at: 0, until: null } }],
  ['payments', 'payment', readPayments, byId],
  ['deliveries', 'delivery', readDeliveryChanges, byId],
  ['all deliveries', 'delivery', readFeed, { id: everything, start: { xid: '0', id: '0', until: null } }],
] as const)(
  '%s are read in one statement, the same for however many watch',
  async (_, service, reader, kind) => {
    const database = await serviceDatabase(service);
    const texts: string[] = [];
    const tx: Tx = {
      query(text, values) {
        texts.push(text);
        return database.query(text, values);
      },
    };
    const read = (reader as (tx: Tx) => Read<object, unknown>)(tx);
    for (const count of [1, 10, 500]) {
      const watches = Array.from({ length: count }, (_, n) => ({
        id: kind.id(),
        after: n % 2 === 0 ? null : kind.start,
        limit: 10,
        known: n % 3 === 0,
      }));
      expect(await read(watches)).toHaveLength(count);
    }
    expect(texts).toHaveLength(3);
    expect(new Set(texts).size).toBe(1);
  },
);
