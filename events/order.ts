import { z } from 'zod';
import { defineEvent } from '../platform/bus/event.js';
import { cents, currency } from './money.js';

export const orderStatuses = ['PENDING', 'PAID', 'INSUFFICIENT_FUNDS', 'CANCELLED', 'COMPLETED'] as const;
export type OrderStatus = (typeof orderStatuses)[number];

/** An order was placed: payment charges it, delivery learns where it goes. */
export const orderCreated = defineEvent({
  topic: 'order.created',
  schema: z.object({
    orderId: z.uuid(),
    userId: z.uuid(),
    totalCents: cents,
    currency,
    deliveryAddress: z.string().min(1),
  }),
  key: ({ userId }) => userId,
});

/** An order's status, or its copy of the delivery's, changed; `sequence` counts the order's changes from 1. */
export const orderUpdated = defineEvent({
  topic: 'order.updated',
  schema: z.object({
    orderId: z.uuid(),
    userId: z.uuid(),
    sequence: z.int().positive(),
    status: z.enum(orderStatuses),
  }),
  key: ({ userId }) => userId,
});

/** An order was called off, or could not be delivered: nothing will be taken for it, and what was is given back. */
export const orderCancelled = defineEvent({
  topic: 'order.cancelled',
  schema: z.object({ orderId: z.uuid(), userId: z.uuid() }),
  key: ({ userId }) => userId,
});

/** What was personal in an order is gone: its user was deleted, and it can no longer change. Others erase their copies. */
export const orderErased = defineEvent({
  topic: 'order.erased',
  schema: z.object({ orderId: z.uuid(), userId: z.uuid() }),
  key: ({ userId }) => userId,
});
