import { problem } from '../errors.js';
import type { Principal } from './principal.js';
import type { TokenVerifier } from './tokens.js';

/** What a user may do has changed, `rights` counting how often, from 1: tokens of fewer are over before their time. */
export interface RightsChange {
  userId: string;
  rights: number;
}

/** No access token lives longer: what changed before that is of no account. */
export const rightsKeptMs = 24 * 60 * 60 * 1000;

/** Whose rights have changed of late, as far as this process has heard. */
export interface Rights {
  note(changes: readonly RightsChange[]): void;
  /** Whether a token was signed before what its user may do changed. */
  isOver(principal: Principal): boolean;
  /** Calls `act` once what a principal may do has changed, at once where it has already; the answer calls that off. */
  whenOver(principal: Principal, act: () => void): () => void;
  /** Tells all that has been noted, and then each change that comes; the answer calls that off. */
  follow(tell: (changes: readonly RightsChange[]) => void): () => void;
}

export function createRights(): Rights {
  /** In the order in which they were noted. */
  const known = new Map<string, { rights: number; at: number }>();
  const waiting = new Map<string, Set<Waiting>>();
  const followers = new Set<(changes: readonly RightsChange[]) => void>();

  function isOver({ userId, rights = 1 }: Principal): boolean {
    const last = known.get(userId);
    return last !== undefined && rights < last.rights;
  }

  function leave(one: Waiting): void {
    const others = waiting.get(one.principal.userId);
    others?.delete(one);
    if (others?.size === 0) waiting.delete(one.principal.userId);
  }

  return {
    isOver,
    note(changes) {
      const now = Date.now();
      const news = changes.filter(({ userId, rights }) => rights > (known.get(userId)?.rights ?? 1));
      for (const { userId, rights } of news) {
        known.delete(userId);
        known.set(userId, { rights, at: now });
      }
      for (const [userId, { at }] of known) {
        if (at > now - rightsKeptMs) break;
        known.delete(userId);
      }
      for (const { userId } of news) {
        for (const one of [...(waiting.get(userId) ?? [])]) {
          if (!isOver(one.principal)) continue;
          leave(one);
          one.act();
        }
      }
      if (news.length > 0) for (const tell of followers) tell(news);
    },
    whenOver(principal, act) {
      const one = { principal, act };
      if (isOver(principal)) {
        act();
        return () => undefined;
      }
      const others = waiting.get(principal.userId) ?? new Set();
      waiting.set(principal.userId, others.add(one));
      return () => leave(one);
    },
    follow(tell) {
      if (known.size > 0) tell([...known].map(([userId, { rights }]) => ({ userId, rights })));
      followers.add(tell);
      return () => followers.delete(tell);
    },
  };
}

interface Waiting {
  principal: Principal;
  act: () => void;
}

/** What whoever holds a token is told that was signed before what they may do changed. */
export const rightsChanged = () =>
  problem('UNAUTHENTICATED', 'What you may do has changed: refresh the session.', { http: { status: 401 } });

/** Refuses tokens that were signed before what their user may do changed. */
export const heedRights = (verifier: TokenVerifier, rights: Rights): TokenVerifier => ({
  recall(authorization) {
    const known = verifier.recall?.(authorization);
    return known && rights.isOver(known) ? undefined : known;
  },
  async verify(authorization) {
    const principal = await verifier.verify(authorization);
    if (principal && rights.isOver(principal)) throw rightsChanged();
    return principal;
  },
});

/** As the payload of a `ping`, by which a subgraph tells the gateway. */
export const rightsPayload = (changes: readonly RightsChange[]): Record<string, unknown> => ({
  rights: changes.map(({ userId, rights }) => [userId, rights]),
});

/** Reads the payload of a `ping`; whatever else it may be tells nothing. */
export function readRightsPayload(payload: Record<string, unknown> | undefined): RightsChange[] {
  const given = payload?.['rights'];
  if (!Array.isArray(given)) return [];
  return given.flatMap((pair: unknown) => {
    const [userId, rights] = Array.isArray(pair) ? (pair as unknown[]) : [];
    return typeof userId === 'string' && Number.isSafeInteger(rights)
      ? { userId, rights: rights as number }
      : [];
  });
}
