import { badInput } from '../errors.js';

/**
 * A cursor is opaque to clients. It carries its scope, so that one of another list or another order
 * is recognised: base64url of `scope|position`.
 */
export const encodeCursor = (scope: string, position: string | number): string =>
  Buffer.from(`${scope}|${position}`).toString('base64url');

/** @throws BAD_USER_INPUT when it is not a cursor of this scope */
export function decodeCursor(cursor: unknown, scope: string, field = 'after'): string {
  const text =
    typeof cursor === 'string' && /^[\w-]{1,400}$/.test(cursor)
      ? Buffer.from(cursor, 'base64url').toString()
      : '';
  const split = text.lastIndexOf('|');
  if (split > 0 && text.slice(0, split) === scope) return text.slice(split + 1);
  throw badInput(`${field} is not a cursor of this ${scope.split(':')[0]}.`, field);
}

/** A place among what all transactions write: the one that wrote it, as PostgreSQL numbers them, then a number. */
export interface CommitPosition {
  xid: string;
  id: string;
}

/** The place, written `<xid>.<id>`, that a live cursor points at; null where none is given. @throws BAD_USER_INPUT */
export function decodeCommitPosition(cursor: unknown, scope: string, field = 'after'): CommitPosition | null {
  if (cursor === null || cursor === undefined) return null;
  const [, xid, id] = /^(\d{1,20})\.(\d{1,19})$/.exec(decodeCursor(cursor, scope, field)) ?? [];
  if (xid && id && BigInt(xid) < 2n ** 64n && BigInt(id) < 2n ** 63n) return { xid, id };
  throw badInput(`${field} is not a cursor of this ${scope.split(':')[0]}.`, field);
}

/** The sequence number that a live cursor points at; null where none is given. @throws BAD_USER_INPUT */
export function decodeSequence(cursor: unknown, scope: string, field = 'after'): number | null {
  if (cursor === null || cursor === undefined) return null;
  const position = decodeCursor(cursor, scope, field);
  if (/^\d{1,9}$/.test(position)) return Number(position);
  throw badInput(`${field} is not a cursor of this ${scope.split(':')[0]}.`, field);
}
