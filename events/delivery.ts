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
    /** The account of the courier that has it then; of an event without, nobody knows. */
    courierUserId: z.uuid().nullish(),
    sequence: z.int().positive(),
    status: z.enum(deliveryStatuses),
  }),
  key: ({ userId }) => userId,
});

/** A courier said where it is, in degrees; the order, its user and the time at the door are those of what it brings. */
export const courierLocationUpdated = defineEvent({
  topic: 'courier.location.updated',
  schema: z.object({
    courierId: z.uuid(),
    /** The courier's account, where it has one; of an event without, nobody knows. */
    courierUserId: z.uuid().nullish(),
    orderId: z.uuid().nullable(),
    userId: z.uuid().nullable(),
    latitude: z.number().min(-90).max(90),
    longitude: z.number().min(-180).max(180),
    at: z.iso.datetime(),
    estimatedAt: z.iso.datetime().nullable(),
  }),
  key: ({ userId, courierId }) => userId ?? courierId,
});
