import { catalogue } from '../../catalogue.js';
import type { Differences } from '../bare.js';
import { type Spoiler, spoil } from '../tamper.js';

/** A server with one thing wrong, and the audits that say so. */
export interface Broken extends Differences {
  name: string;
  fails: readonly string[];
}

/** A spoiler of its own for each socket. */
export const spoiled = (make: () => Spoiler): Differences => ({ tamper: (socket) => spoil(socket, make()) });

/** Holds back what follows connection_init until it is acknowledged. */
export function patient(spoiler: Spoiler = {}): Required<Pick<Spoiler, 'inbound' | 'outbound'>> {
  let waiting: (() => void)[] | undefined;
  return {
    inbound(message, on, binary) {
      const pass: typeof on.pass = (passed) => {
        const init = typeof passed === 'object' && passed.type === 'connection_init';
        if (waiting && !init) return void waiting.push(() => on.pass(passed));
        if (init) waiting = [];
        on.pass(passed);
      };
      if (spoiler.inbound) spoiler.inbound(message, { ...on, pass }, binary);
      else pass(message);
    },
    outbound(message, on) {
      if (spoiler.outbound) spoiler.outbound(message, on);
      else on.send(message);
      if (message.type !== 'connection_ack') return;
      // graphql-ws has acknowledged it already when it says so.
      for (const go of waiting ?? []) go();
      waiting = undefined;
    },
  };
}

/** All audits whose id begins so, but for these. */
export const allOf = (start: string, ...but: string[]): string[] =>
  catalogue.map(({ id }) => id).filter((id) => id.startsWith(start) && !but.includes(id));

export const keysOf = (value: unknown): string[] =>
  typeof value === 'object' && value !== null ? Object.keys(value) : [];
