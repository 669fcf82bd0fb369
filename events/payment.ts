import { z } from 'zod';
import { defineEvent } from '../platform/bus/event.js';
import { cents, currency } from './money.js';

/** The charge of an order was decided: it is paid, or the balance was too low and nothing was taken. */
export const paymentCompleted = defineEvent({
  topic: 'payment.completed',
  schema: z.object({
    paymentId: z.uuid(),
    orderId: z.uuid(),
    userId: z.uuid(),
    status: z.enum(['SUCCESS', 'INSUFFICIENT_FUNDS']),
    amountCents: cents,
    currency,
  }),
  key: ({ userId }) => userId,
});

/** What was charged for an order has been given back. */
export const paymentRefunded = defineEvent({
  topic: 'payment.refunded',
  schema: z.object({
    paymentId: z.uuid(),
    orderId: z.uuid(),
    userId: z.uuid(),
    amountCents: cents,
    currency,
  }),
  key: ({ userId }) => userId,
});
