import { z } from 'zod';

/** An amount in integer cents, never negative. */
export const cents = z.int().nonnegative();

export const currency = z.literal('EUR');
