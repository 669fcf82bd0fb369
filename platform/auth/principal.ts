import type { GraphQLError } from 'graphql';
import { problem } from '../errors.js';

export const roles = ['CUSTOMER', 'COURIER', 'DISPATCHER', 'ADMIN'] as const;
export type Role = (typeof roles)[number];

/** Who asks, as a verified access token says. */
export interface Principal {
  userId: string;
  role: Role;
  /** When the token ends, in milliseconds since 1970. */
  expiresAt: number;
  /** The scopes that the token names (RFC 8693); undefined where it names none, and the role says what it may. */
  scopes?: readonly string[];
  /** How often what the user may do had changed when the token was signed, from 1; 1 unless told. */
  rights?: number;
}

export const isStaff = (principal: Principal): boolean =>
  principal.role === 'DISPATCHER' || principal.role === 'ADMIN';

/** May this principal see what belongs to that user: it is theirs, or they are staff. */
export const maySee = (principal: Principal, ownerId: string): boolean =>
  principal.userId === ownerId || isStaff(principal);

/** Whether this is the courier whose account that is, as a courier. */
export const isCourier = (principal: Principal, userId: string | null): boolean =>
  principal.role === 'COURIER' && principal.userId === userId;

/** What nobody gets, where somebody has to be logged in. */
export const notLoggedIn = (): GraphQLError =>
  problem('UNAUTHENTICATED', 'Log in first: send an access token as "authorization: Bearer ...".');

/** @throws UNAUTHENTICATED where nobody is logged in */
export function authenticated(principal: Principal | null): Principal {
  if (principal) return principal;
  throw notLoggedIn();
}

/** @throws UNAUTHENTICATED, FORBIDDEN unless staff asks */
export function staff(principal: Principal | null): Principal {
  const asked = authenticated(principal);
  if (isStaff(asked)) return asked;
  throw problem('FORBIDDEN', 'This is for staff alone.');
}
