import { z } from 'zod';
import { defineEvent } from '../platform/bus/event.js';

export const deliveryStatuses = [
  'PENDING',
  'IN_TRANSIT',
  'OUT_FOR_DELIVERY',
  'DELIVERED',
  'CANCELLED',
  'FAILED',
] as const;
export type DeliveryStatus = (typeof deliveryStatuses)[number];

/**
 * A delivery moved; `sequence` counts its changes from 1, so that a late or repeated event is recognised. An order that
 * was called off before it had a delivery has none, and is CANCELLED.
 */
export const deliveryStatusUpdated = defineEvent({
  topic: 'delivery.status.updated',
  schema: z.object({
    deliveryId: z.uuid().nullable(),
    orderId: z.uuid(),
    userId: z.uuid(),
    sequence: z.int().positive(),
    status: z.enum(deliveryStatuses),
  }),
  key: ({ userId }) => userId,
});
