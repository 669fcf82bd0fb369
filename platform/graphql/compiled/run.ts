import type { GraphQLError } from 'graphql';

/**
 * A place in an answer: a response key, or the index of an item, and what it stands in. As graphql's own, which
 * resolvers are given.
 */
export interface Path {
  readonly prev: Path | undefined;
  readonly key: string | number;
  /** Of the object that the field is asked of; none for an item. */
  readonly typename: string | undefined;
}

/** One execution of a compiled operation. */
export interface Run {
  readonly rootValue: unknown;
  readonly contextValue: unknown;
  /** Coerced. */
  readonly variables: { readonly [name: string]: unknown };
  readonly errors: Errors;
}

/**
 * The errors of a run. What happens below a place that has become null by an error is not told: its promises
 * may still be under way, and where it came in time would be chance.
 */
export class Errors {
  readonly list: GraphQLError[] = [];
  readonly #places = new Set<Path | undefined>();

  /** `place` is where the error becomes null, undefined for the whole answer. */
  add(error: GraphQLError, place: Path | undefined): void {
    if (this.list.length > 0 && this.#isWithinNull(place)) return;
    this.#places.add(place);
    this.list.push(error);
  }

  #isWithinNull(place: Path | undefined): boolean {
    for (let at = place; at !== undefined; at = at.prev) if (this.#places.has(at)) return true;
    return this.#places.has(undefined);
  }
}

/** Whether a value has to be waited for: anything with a `then`, as graphql sees it. */
export const isPromise = (value: unknown): value is PromiseLike<unknown> =>
  ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
  typeof (value as { then?: unknown }).then === 'function';
