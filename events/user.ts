import { z } from 'zod';
import { roles } from '../platform/auth/principal.js';
import { defineEvent } from '../platform/bus/event.js';

/**
 * Where an account stands. Holds no name and no email address: those stay with the user service. `version` counts the
 * account's changes from 1, `rights` those of what the user may do: of two events the one with more is the later one,
 * whatever their topics, and access tokens of fewer `rights` are over.
 */
const standing = {
  userId: z.uuid(),
  role: z.enum(roles),
  version: z.int().positive(),
  rights: z.int().positive(),
};

/** Somebody has an account now; of an event of before it told more, nobody knows the role. */
export const userRegistered = defineEvent({
  topic: 'user.registered',
  schema: z.object(standing).partial({ role: true, version: true, rights: true }),
  key: ({ userId }) => userId,
});

/** An account has changed: its name, its email address, or what the user may do. */
export const userUpdated = defineEvent({
  topic: 'user.updated',
  schema: z.object(standing),
  key: ({ userId }) => userId,
});

/** An account was deleted. What is personal is to be erased wherever it was copied. */
export const userDeleted = defineEvent({
  topic: 'user.deleted',
  schema: z.object({ userId: z.uuid(), rights: z.int().positive() }),
  key: ({ userId }) => userId,
});
