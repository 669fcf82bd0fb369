import type { Role } from '../../platform/auth/principal.js';
import type { Page } from '../../platform/graphql/connection.js';

/** A user as the resolvers get it; the password's hash never leaves login.ts. */
export interface UserRow {
  id: string;
  /** Null where the account was deleted. */
  email: string | null;
  firstName: string;
  lastName: string;
  role: Role;
  createdAt: Date;
  updatedAt: Date;
  deletedAt: Date | null;
  /** Counts the account's changes from 1. */
  version: number;
  /** Counts, from 1, how often what the user may do has changed. */
  rights: number;
  /** Set where the one who asks has just proved to be this user, and has no token yet. */
  self?: true;
}

export type UserPage = Page<UserRow>;

export interface SessionRow {
  accessToken: string;
  refreshToken: string;
  expiresAt: Date;
  user: UserRow;
}

/** A user's columns, each under the name that it has in UserRow. */
export const userColumns = `id, email, coalesce(first_name, 'Deleted') as "firstName",
  coalesce(last_name, 'user') as "lastName", role, created_at as "createdAt", updated_at as "updatedAt",
  deleted_at as "deletedAt", version, rights`;
