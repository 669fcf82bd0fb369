import { type Entity, isEntity, own } from './entity.js';

/** A place in a plan: response names, and `@` for each element of a list. */
export type Path = readonly (string | number)[];

/** The objects that stand at a path below `value`; what is null or missing on the way there has none. */
export function collect(value: unknown, path: Path, into: Entity[] = [], from = 0): Entity[] {
  let here = value;
  for (let at = from; at < path.length; at++) {
    const step = path[at];
    if (step === '@') {
      if (Array.isArray(here)) for (const item of here) collect(item, path, into, at + 1);
      return into;
    }
    if (!isEntity(here)) return into;
    here = own(here, step as string);
  }
  if (isEntity(here)) into.push(here);
  return into;
}

/** Where in an answer each of the objects at a path stands, its list indexes included. */
export function locate(value: unknown, path: Path): Map<Entity, (string | number)[]> {
  const found = new Map<Entity, (string | number)[]>();
  const visit = (here: unknown, at: number, place: (string | number)[]): void => {
    if (at === path.length) {
      if (isEntity(here)) found.set(here, place);
      return;
    }
    const step = path[at];
    if (step === '@') {
      if (Array.isArray(here))
        for (const [index, item] of here.entries()) visit(item, at + 1, [...place, index]);
    } else if (isEntity(here)) visit(own(here, step as string), at + 1, [...place, step as string]);
  };
  visit(value, 0, []);
  return found;
}
