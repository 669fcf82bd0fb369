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

/** Places where objects stand that are at a path and of `wanted`: all of them, or the first `most`. */
export function locate(
  root: Entity,
  path: Path,
  wanted: { has(object: Entity): boolean },
  most: number,
): Map<Entity, Place[]> {
  const found = new Map<Entity, Place[]>();
  const place: Place = [];
  let left = most;
  const visit = (here: unknown, at: number): void => {
    if (left === 0) return;
    if (at === path.length) {
      if (!isEntity(here) || !wanted.has(here)) return;
      left -= 1;
      const places = found.get(here);
      if (places) places.push([...place]);
      else found.set(here, [[...place]]);
      return;
    }
    const step = path[at] as string;
    if (step !== '@') {
      if (!isEntity(here)) return;
      place.push(step);
      visit(own(here, step), at + 1);
      place.pop();
    } else if (Array.isArray(here)) {
      for (let index = 0; index < here.length && left > 0; index++) {
        place.push(index);
        visit(here[index], at + 1);
        place.pop();
      }
    }
  };
  visit(root, 0);
  return found;
}

/** A path as far as it is the same for all that stands there. */
export function commonPlace(path: Path): Place {
  const list = path.indexOf('@');
  return list < 0 ? [...path] : path.slice(0, list);
}
