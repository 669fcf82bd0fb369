import { createHash } from 'node:crypto';
import { problem } from '../errors.js';
import type { Principal } from './principal.js';
import type { TokenVerifier } from './tokens.js';

/** What a user may do has changed, `rights` counting how often, from 1: tokens of fewer are over before their time. */
export interface RightsChange {
  userId: string;
  rights: number;
}

/** What others are told of one: whose it is knows who has the user's id, and nobody else. */
export interface RightsNews {
  /** The SHA-256 of the user's id, in base64url. */
  user: string;
  rights: number;
}

/** No access token lives longer: what changed before that is of no account. */
export const rightsKeptMs = 24 * 60 * 60 * 1000;

/** Whose rights have changed of late, as far as this process has heard. */
export interface Rights {
  note(changes: readonly RightsChange[]): void;
  /** Notes what another process has told. */
  hear(news: readonly RightsNews[]): void;
  /** Whether a token was signed before what its user may do changed. */
  isOver(principal: Principal): boolean;
  /** Calls `act` once what a principal may do has changed, at once where it has already; the answer calls that off. */
  whenOver(principal: Principal, act: () => void): () => void;
  /** Tells all that has been noted, and then each change that comes; the answer calls that off. */
  follow(tell: (news: readonly RightsNews[]) => void): () => void;
}

const hashOf = (userId: string): string => createHash('sha256').update(userId).digest('base64url');

/** What others are told of a change. */
export const newsOf = ({ userId, rights }: RightsChange): RightsNews => ({ user: hashOf(userId), rights });

export function createRights(): Rights {
  /** By the hash of the user's id, in the order in which they were noted. */
  const known = new Map<string, { rights: number; at: number }>();
  const waiting = new Map<string, Set<Waiting>>();
  const followers = new Set<(news: readonly RightsNews[]) => void>();
  /** A principal is that of many requests. */
  const users = new WeakMap<Principal, string>();

  function userOf(principal: Principal): string {
    const hashed = users.get(principal);
    if (hashed !== undefined) return hashed;
    const user = hashOf(principal.userId);
    users.set(principal, user);
    return user;
  }

  function isOver(principal: Principal): boolean {
    if (known.size === 0) return false;
    const last = known.get(userOf(principal));
    return last !== undefined && (principal.rights ?? 1) < last.rights;
  }

  function leave(one: Waiting): void {
    const user = userOf(one.principal);
    const others = waiting.get(user);
    others?.delete(one);
    if (others?.size === 0) waiting.delete(user);
  }

  function hear(told: readonly RightsNews[]): void {
    const now = Date.now();
    const news = told.filter(({ user, rights }) => rights > (known.get(user)?.rights ?? 1));
    for (const { user, rights } of news) {
      known.delete(user);
      known.set(user, { rights, at: now });
    }
    for (const [user, { at }] of known) {
      if (at > now - rightsKeptMs) break;
      known.delete(user);
    }
    for (const { user } of news) {
      for (const one of [...(waiting.get(user) ?? [])]) {
        if (!isOver(one.principal)) continue;
        leave(one);
        one.act();
      }
    }
    if (news.length > 0) for (const tell of followers) tell(news);
  }

  return {
    isOver,
    hear,
    note: (changes) => hear(changes.map(newsOf)),
    whenOver(principal, act) {
      const one = { principal, act };
      if (isOver(principal)) {
        act();
        return () => undefined;
      }
      const user = userOf(principal);
      const others = waiting.get(user) ?? new Set();
      waiting.set(user, others.add(one));
      return () => leave(one);
    },
    follow(tell) {
      if (known.size > 0) tell([...known].map(([user, { rights }]) => ({ user, rights })));
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
export const rightsPayload = (news: readonly RightsNews[]): Record<string, unknown> => ({
  rights: news.map(({ user, rights }) => [user, rights]),
});

/** Reads the payload of a `ping`; whatever else it may be tells nothing. */
export function readRightsPayload(payload: Record<string, unknown> | undefined): RightsNews[] {
  const given = payload?.['rights'];
  if (!Array.isArray(given)) return [];
  return given.flatMap((pair: unknown) => {
    const [user, rights] = Array.isArray(pair) ? (pair as unknown[]) : [];
    return typeof user === 'string' && Number.isSafeInteger(rights) ? { user, rights: rights as number } : [];
  });
}
