import type { GraphQLFormattedError } from 'graphql';
import { type Asking, type Names, namesOf } from './blame.js';
import type { Missing } from './completion.js';
import type { Entity } from './entity.js';
import type { Run } from './fetch.js';

/** Whether something may be missing that nobody has given a reason for. A fetch that failed is a reason for all that comes after it. */
export const mayLackReasons = ({ errors, context }: Run): boolean =>
  !context.cancellation?.isCancelled && errors.every(({ path }) => path !== undefined);

/** A step on the way to what is missing. */
interface Step {
  next: Map<string | number, Step>;
  /** Whether an error is below. */
  isAbove: boolean;
  /** Whether an error is here. */
  isEnd: boolean;
}

const stepOf = (): Step => ({ next: new Map(), isAbove: false, isEnd: false });

/**
 * Of what is missing, that of which no error tells: none at its place, nor below it, where it was nothing to a
 * subgraph for what it lacked itself, nor above. An entity that a subgraph does not know is missing for no reason,
 * and that is no fault. Subgraphs choose the paths of their errors: each is followed as far as something is missing.
 */
export function unexplained(
  missing: readonly Missing[],
  errors: readonly GraphQLFormattedError[],
  untold: ReadonlySet<Entity>,
): Missing[] {
  const root = stepOf();
  const ways = missing.map(({ path }) => [root, ...addWay(root, path)]);
  for (const { path = [] } of errors) {
    let here: Step | undefined = root;
    for (const name of path) {
      here.isAbove = true;
      here = here.next.get(name);
      if (!here) break;
    }
    if (here) here.isEnd = true;
  }
  return missing.filter(({ within }, index) => {
    const way = ways[index] as Step[];
    return !(within && untold.has(within)) && !way.at(-1)?.isAbove && !way.some(({ isEnd }) => isEnd);
  });
}

function addWay(root: Step, path: readonly (string | number)[]): Step[] {
  let here = root;
  return path.map((name) => {
    const next = here.next.get(name) ?? stepOf();
    here.next.set(name, next);
    here = next;
    return next;
  });
}

/**
 * Whether somebody is at fault for what is missing at a place. Nobody is, where several subgraphs answer with the
 * object that lacks it, for one of them may know the object and another one not; and where nothing asks for it, since
 * plans ask for nothing of a field of which all is left out, nor for what needs something that is.
 */
export function compileFault(
  { fetchesOf, needsOf }: Asking,
  isConditional: boolean,
): (place: readonly (string | number)[]) => boolean {
  const known = new Map<string, boolean>();
  function isAskedFor(names: Names): boolean {
    const key = names.join();
    const isKnown = known.get(key);
    if (isKnown !== undefined) return isKnown;
    known.set(key, false);
    const isAsked = fetchesOf(names).some((one) => needsOf(one, names).every(isAskedFor));
    known.set(key, isAsked);
    return isAsked;
  }
  const isContested = (names: Names) => new Set(fetchesOf(names).map(({ service }) => service)).size > 1;
  return (place) => {
    const names = namesOf(place);
    // An element is missing to those who answered its list.
    const isElement = typeof place.at(-1) === 'number';
    return (isElement || !isContested(names.slice(0, -1))) && (!isConditional || isAskedFor(names));
  };
}
