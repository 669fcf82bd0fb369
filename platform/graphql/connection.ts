import { badInput } from '../errors.js';
import { isId } from '../ids.js';
import { decodeCursor, encodeCursor } from './cursor.js';

export const maxFirst = 100;
const defaultFirst = 20;

/** The arguments of a Relay list, checked: how many rows, and the id that they come after. */
export interface PageRequest {
  scope: string;
  first: number;
  after: string | null;
}

/** @throws BAD_USER_INPUT for `first` below 0 or above 100, and for a cursor of another list; `isPosition` judges what it points at */
export function readPage(
  scope: string,
  args: { first?: number | null; after?: string | null },
  isPosition: (text: string) => boolean = isId,
): PageRequest {
  const first = args.first ?? defaultFirst;
  if (first < 0 || first > maxFirst) throw badInput(`first is a number from 0 to ${maxFirst}.`, 'first');
  if (args.after === null || args.after === undefined) return { scope, first, after: null };
  const after = decodeCursor(args.after, scope);
  if (!isPosition(after)) throw badInput('after is not a cursor of this list.', 'after');
  return { scope, first, after };
}

/** A page of rows; `total` is asked only when `totalCount` is selected. */
export interface Page<R> {
  request: PageRequest;
  rows: R[];
  hasNextPage: boolean;
  total: () => Promise<number>;
}

/** Makes the page from `first + 1` rows: the last one only tells that there are more. */
export const toPage = <R>(request: PageRequest, rows: R[], total: () => Promise<number>): Page<R> => ({
  request,
  rows: rows.slice(0, request.first),
  hasNextPage: rows.length > request.first,
  total,
});

/** The resolvers of a connection type over rows that are ordered by id. */
export function connectionResolvers<R extends { id: string }>() {
  const cursor = (page: Page<R>, row: R): string => encodeCursor(page.request.scope, row.id);
  const cursorAt = (page: Page<R>, index: number): string | null => {
    const row = page.rows.at(index);
    return row ? cursor(page, row) : null;
  };
  return {
    nodes: (page: Page<R>) => page.rows,
    edges: (page: Page<R>) => page.rows.map((node) => ({ cursor: cursor(page, node), node })),
    pageInfo: (page: Page<R>) => ({
      hasNextPage: page.hasNextPage,
      hasPreviousPage: page.request.after !== null,
      startCursor: cursorAt(page, 0),
      endCursor: cursorAt(page, -1),
    }),
    totalCount: (page: Page<R>) => page.total(),
  };
}
