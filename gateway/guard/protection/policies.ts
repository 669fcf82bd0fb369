import type { Principal, Role } from '../../../platform/auth/principal.js';

/** What a role may do, as `@requiresScopes` names it. */
const scopesByRole: Readonly<Record<Role, readonly string[]>> = {
  CUSTOMER: [],
  COURIER: [],
  DISPATCHER: ['staff'],
  ADMIN: ['staff', 'admin'],
};

/** The scopes of a principal: those that its token names, else those of its role. */
export const scopesOf = ({ role, scopes }: Principal): readonly string[] => scopes ?? scopesByRole[role];

const rolePolicy = /^role:(\w+)$/;

/** Whether a policy is one that can hold for anybody: `role:COURIER`, and so for each role. */
export const isKnownPolicy = (policy: string): boolean =>
  Object.hasOwn(scopesByRole, rolePolicy.exec(policy)?.[1] ?? '');

/** Whether a policy holds for a principal; one that is not known holds for nobody. */
export const holds = (policy: string, { role }: Principal): boolean => rolePolicy.exec(policy)?.[1] === role;
