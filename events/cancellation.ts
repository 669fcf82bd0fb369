import { z } from 'zod';
import { maxReason } from '../platform/reason.js';
import { definePeerRequest } from '../platform/subgraph/peers.js';
import { isTextOf } from '../platform/text.js';

/**
 * Order asks delivery to call an order off: delivery decides whether it is still time. The answer has the number of
 * the delivery's last change; null where there was none yet, and never will be.
 */
export const cancellation = definePeerRequest({
  from: 'order',
  to: 'delivery',
  path: '/internal/cancellations',
  input: z.object({
    orderId: z.uuid(),
    userId: z.uuid(),
    by: z.enum(['customer', 'dispatcher', 'system']),
    reason: z
      .string()
      .refine((reason) => isTextOf(reason, maxReason))
      .nullable(),
  }),
  output: z.object({
    sequence: z.int().positive().nullable(),
    /** The account of the courier that had it. */
    courierUserId: z.uuid().nullish(),
  }),
});
