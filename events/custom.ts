import { z } from 'zod';
import { defineEvent } from '../platform/bus/event.js';
import { cents, currency } from './money.js';

const maybeId = z.uuid().nullish();

/**
 * What staff says has happened, and what other programs do: the topic carries events of any type but the topics of this
 * house. Whom it concerns is told by ids in its data.
 */
export const customEvent = defineEvent({
  topic: 'events.custom',
  anyType: true,
  schema: z.looseObject({ userId: maybeId, orderId: maybeId }),
  // An event that concerns nobody is in order with none.
  key: ({ userId, orderId }, id) => userId ?? orderId ?? id,
});

/** What the data of an event that staff publishes must have, by its kind; more is welcome. */
export const customKinds = {
  USER: z.looseObject({ userId: z.uuid(), orderId: maybeId }),
  ORDER: z.looseObject({ orderId: z.uuid(), userId: maybeId }),
  PAYMENT: z.looseObject({ orderId: z.uuid(), userId: maybeId, amountCents: cents, currency }),
};
export type CustomKind = keyof typeof customKinds;
