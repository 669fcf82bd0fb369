import { type Entity, isEntity, own } from './entity.js';

/** A place in a plan: response names, and `@` for each element of a list. */
export type Path = readonly (string | number)[];

/** Where in an answer something stands, list indexes included. */
export type Place = (string | number)[];

/** Takes an object, and what holds it under which key. */
export type Take = (object: Entity, holder: Entity | unknown[], key: string | number) => void;

/**
 * Finds the objects that stand at a path below an object; what is null or missing on the way there has none.
 * What is below an object of `repeated`, which stands in several places, is found once.
 */
export function collect(root: Entity, path: Path, repeated: ReadonlyMap<Entity, unknown>, take: Take): void {
  const passed = repeated.size > 0 ? new Set<Entity>() : undefined;

  function visit(value: unknown, from: number, within: Entity | unknown[], at: string | number): void {
    let here = value;
    let holder = within;
    let key = at;
    for (let step = from; step < path.length; step++) {
      const name = path[step] as string;
      if (name === '@') {
        if (!Array.isArray(here)) return;
        for (let index = 0; index < here.length; index++) visit(here[index], step + 1, here, index);
        return;
      }
      if (!isEntity(here)) return;
      if (passed && repeated.has(here)) {
        if (passed.has(here)) return;
        passed.add(here);
      }
      holder = here;
      key = name;
      here = own(here, name);
    }
    if (isEntity(here)) take(here, holder, key);
  }

  visit(root, 0, root, '');
}

/** All places where each of the objects at a path stands. */
export function locate(root: Entity, path: Path): Map<Entity, Place[]> {
  const found = new Map<Entity, Place[]>();
  const visit = (here: unknown, at: number, place: Place): void => {
    if (at === path.length) {
      if (isEntity(here)) found.set(here, [...(found.get(here) ?? []), place]);
      return;
    }
    const step = path[at] as string;
    if (step === '@') {
      if (Array.isArray(here))
        for (const [index, item] of here.entries()) visit(item, at + 1, [...place, index]);
    } else if (isEntity(here)) visit(own(here, step), at + 1, [...place, step]);
  };
  visit(root, 0, []);
  return found;
}

/** A path as far as it is the same for all that stands there. */
export function commonPlace(path: Path): Place {
  const list = path.indexOf('@');
  return list < 0 ? [...path] : path.slice(0, list);
}
