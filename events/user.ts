import { z } from 'zod';
import { defineEvent } from '../platform/bus/event.js';

/** Somebody has an account now. Holds no name and no email address: those stay with the user service. */
export const userRegistered = defineEvent({
  topic: 'user.registered',
  schema: z.object({ userId: z.uuid() }),
  key: ({ userId }) => userId,
});
