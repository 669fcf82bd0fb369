import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Bus } from '../bus/bus.js';
import { type Contract, defineEvent } from '../bus/event.js';

/** Where buses of one adapter keep what they carry; each test gets one of its own. */
export interface BusStorage {
  /** A bus that has not been started: this process's, or the same after a restart. */
  open(): Bus;
  /** TypeScript that ends with `const bus: Bus = ...`, for another process in the project's root folder. */
  openInScript: string;
  destroy(): Promise<void>;
}

export interface Note {
  key: string;
  n: number;
}

/** A contract whose topic no other test has. */
export const noteContract = (): Contract<Note> =>
  defineEvent({
    topic: `test.${randomUUID()}`,
    schema: z.object({ key: z.string(), n: z.int() }),
    key: ({ key }) => key,
  });
