import { z } from 'zod';
import { roles } from '../platform/auth/principal.js';
import { definePeerRequest } from '../platform/subgraph/peers.js';

/** Delivery asks the user service what somebody may do who is to be a courier; the role is null where there is no account. */
export const accountOf = definePeerRequest({
  from: 'delivery',
  to: 'user',
  path: '/internal/accounts',
  input: z.object({ userId: z.uuid() }),
  output: z.object({
    role: z.enum(roles).nullable(),
    /** How often that has changed, from 1. */
    rights: z.int().positive(),
  }),
});
