import type { Principal } from '../../../platform/auth/principal.js';
import { holds, scopesOf } from './policies.js';

/** Groups of names: all of one group are needed. */
export type Groups = readonly (readonly string[])[];

/** What somebody must be to see a field; all of it has to hold. */
export interface Requirement {
  /** Whether a token is needed. */
  authenticated: boolean;
  /** Of each of these, all scopes of one group. */
  scopes: readonly Groups[];
  /** Of each of these, all policies of one group. */
  policies: readonly Groups[];
}

/** What needs both; undefined where neither needs anything. */
export function both(a: Requirement | undefined, b: Requirement | undefined): Requirement | undefined {
  if (!a || !b || a === b) return a ?? b;
  return {
    authenticated: a.authenticated || b.authenticated,
    scopes: distinct([...a.scopes, ...b.scopes]),
    policies: distinct([...a.policies, ...b.policies]),
  };
}

const distinct = (all: readonly Groups[]): readonly Groups[] => [
  ...new Map(all.map((groups) => [JSON.stringify(groups), groups])).values(),
];

/** Whether a principal has what is required; nobody has nothing. */
export function meets({ scopes, policies }: Requirement, principal: Principal | null): boolean {
  if (!principal) return false;
  const has = scopesOf(principal);
  const some = (groups: Groups, test: (name: string) => boolean) => groups.some((group) => group.every(test));
  return (
    scopes.every((groups) => some(groups, (scope) => has.includes(scope))) &&
    policies.every((groups) => some(groups, (policy) => holds(policy, principal)))
  );
}
