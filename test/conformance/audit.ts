import type { Session } from './session.js';

/** MUST: the protocol, or an RFC that it stands on, says so. SHOULD: it advises it, or clients rely on it. */
export type Level = 'MUST' | 'SHOULD';

export interface Audit {
  /** `<part>/<name>`; it stays the same for as long as what it asks for does. */
  id: string;
  level: Level;
  /** The section of the protocol's document, or the RFC, that it stands for. */
  clause: string;
  /** What a server does that passes. */
  title: string;
  /** Rejects with a Fault where the server fails it, with a Skip where nothing can be said. */
  check(session: Session): Promise<void>;
}

/** The server does not do what an audit asks for. */
export class Fault extends Error {}

/** Something did not come in time. */
export class InVain extends Fault {}

/** Nothing can be said, and why. */
export class Skip extends Error {}

export function demand(condition: unknown, otherwise: string): asserts condition {
  if (!condition) throw new Fault(otherwise);
}

const order = (values: readonly string[]): string => values.join(', ') || 'nothing';

/** Fails unless two sequences are the same, and shows both. */
export function demandSame(got: readonly string[], wanted: readonly string[], what: string): void {
  demand(
    got.length === wanted.length && got.every((value, index) => value === wanted[index]),
    `${what}: expected ${order(wanted)}; got ${order(got)}`,
  );
}

/** The audits of one part, which have its name before theirs. */
export const part = (
  name: string,
  audits: readonly (readonly [
    name: string,
    level: Level,
    clause: string,
    title: string,
    check: Audit['check'],
  ])[],
): Audit[] =>
  audits.map(([own, level, clause, title, check]) => ({ id: `${name}/${own}`, level, clause, title, check }));
