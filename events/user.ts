import { z } from 'zod';
import { roles } from '../platform/auth/principal.js';
import { defineEvent } from '../platform/bus/event.js';

/** Somebody has an account now. Holds no name and no email address: those stay with the user service. */
export const userRegistered = defineEvent({
  topic: 'user.registered',
  schema: z.object({ userId: z.uuid() }),
  key: ({ userId }) => userId,
});

/** Something about an account changed: `version` counts its changes. What it is now, the user service tells. */
export const userUpdated = defineEvent({
  topic: 'user.updated',
  schema: z.object({ userId: z.uuid(), role: z.enum(roles), version: z.int().positive() }),
  key: ({ userId }) => userId,
});

/** An account is gone: what is known of its user elsewhere is to be forgotten. */
export const userDeleted = defineEvent({
  topic: 'user.deleted',
  schema: z.object({ userId: z.uuid() }),
  key: ({ userId }) => userId,
});
