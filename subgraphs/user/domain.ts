import type { Principal, Role } from '../../platform/auth/principal.js';
import { type Refusal, refuse } from '../../platform/errors.js';

/** One @, something on both sides, a dot in the host, no spaces: the rest only a message to it can prove. */
const address = /^[^\s@\p{Cc}\p{Cs}]{1,64}@[^\s@.\p{Cc}\p{Cs}]+(\.[^\s@.\p{Cc}\p{Cs}]+)+$/u;

/** Whether a text could be the email address of an account. */
export const isEmail = (text: string): boolean => text.length <= 254 && address.test(text);

export const normalizeEmail = (email: string): string => email.trim().toLowerCase();

/** What decisions about an account are made from. */
export interface Account {
  id: string;
  role: Role;
  rights: number;
  deletedAt: Date | null;
}

/** Why whoever holds this token may do nothing here; undefined where its account is as it was when it was signed. */
export function refuseToken({ rights = 1 }: Principal, account: Account | undefined): Refusal | undefined {
  if (!account || account.deletedAt) return refuse('UNAUTHENTICATED', 'This account was deleted.');
  return rights < account.rights
    ? refuse('UNAUTHENTICATED', 'What you may do has changed: refresh the session.')
    : undefined;
}

const noSuchUser = (): Refusal => refuse('NOT_FOUND', 'There is no such user.');
const isStaff = ({ role }: Account): boolean => role === 'DISPATCHER' || role === 'ADMIN';

/** Why somebody may not change this account; undefined where they may. */
export function refuseUpdate(by: Account, account: Account | undefined): Refusal | undefined {
  if (account?.id === by.id) return undefined;
  if (!isStaff(by)) return refuse('FORBIDDEN', 'Staff alone changes the accounts of others.');
  if (!account || account.deletedAt) return noSuchUser();
  return account.role === 'ADMIN' && by.role !== 'ADMIN'
    ? refuse('FORBIDDEN', 'An ADMIN alone changes the account of an ADMIN.')
    : undefined;
}

/** Why somebody may not delete this account, of so many ADMINs; undefined where they may. */
export function refuseDeletion(
  by: Account,
  account: Account | undefined,
  admins: number,
): Refusal | undefined {
  if (account?.id !== by.id && by.role !== 'ADMIN')
    return refuse('FORBIDDEN', 'An ADMIN alone deletes the accounts of others.');
  if (!account) return noSuchUser();
  return refuseLastAdmin(account, admins);
}

/** Why somebody may not give this account another role, of so many ADMINs; undefined where they may. */
export function refuseRole(
  by: Account,
  account: Account | undefined,
  role: Role,
  admins: number,
): Refusal | undefined {
  if (by.role !== 'ADMIN') return refuse('FORBIDDEN', 'An ADMIN alone says what users may do.');
  if (!account || account.deletedAt) return noSuchUser();
  return role === 'ADMIN' ? undefined : refuseLastAdmin(account, admins);
}

const refuseLastAdmin = ({ role, deletedAt }: Account, admins: number): Refusal | undefined =>
  role === 'ADMIN' && !deletedAt && admins <= 1
    ? refuse('CONFLICT', 'This is the last ADMIN: make somebody else one first.', 'id')
    : undefined;
