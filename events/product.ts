import { z } from 'zod';
import { defineEvent } from '../platform/bus/event.js';
import { cents, currency } from './money.js';

/** A product came into the catalogue, or changed. */
export const productUpdated = defineEvent({
  topic: 'product.updated',
  schema: z.object({ productId: z.uuid(), priceCents: cents, currency, available: z.boolean() }),
  key: ({ productId }) => productId,
});
