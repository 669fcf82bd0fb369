import type { Role } from '../../platform/auth/principal.js';

/** A user as the resolvers get it; the password's hash never leaves commands.ts. */
export interface UserRow {
  id: string;
  email: string;
  firstName: string;
  lastName: string;
  role: Role;
  createdAt: Date;
  updatedAt: Date;
  /** Set where the one who asks has just proved to be this user, and has no token yet. */
  self?: true;
}

export interface SessionRow {
  accessToken: string;
  refreshToken: string;
  expiresAt: Date;
  user: UserRow;
}
