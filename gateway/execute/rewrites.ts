import type { FetchDataRewrite } from '@apollo/query-planner';
import { deepest } from './depth.js';
import { type Entity, isEntity, own, put } from './entity.js';
import type { Place } from './paths.js';
import type { TypeTest } from './types.js';

const fragmentPrefix = '... on ';

/** Changes an object, and what is in it, in place. */
export type Rewrite = (entity: Entity) => void;

/**
 * The changes that a plan wants made to what a fetch sends or has received: a value set, or a key renamed, at
 * a path of field names and of `... on Type` steps. An object that does not say its type passes such a step.
 */
export function compileRewrites(
  rewrites: readonly FetchDataRewrite[] | undefined,
  isType: TypeTest,
): Rewrite | undefined {
  if (!rewrites || rewrites.length === 0) return undefined;
  const compiled = rewrites.map((rewrite) => compileRewrite(rewrite, isType));
  return (entity) => {
    for (const rewrite of compiled) rewrite(entity);
  };
}

/** Says of a place in what a fetch has received where it is once keys are renamed. */
export type Replace = (place: Place) => Place;

export function compileReplace(rewrites: readonly FetchDataRewrite[] | undefined): Replace {
  const renames = (rewrites ?? []).flatMap((rewrite) =>
    rewrite.kind === 'KeyRenamer'
      ? [{ to: rewrite.renameKeyTo, names: rewrite.path.filter((step) => !step.startsWith(fragmentPrefix)) }]
      : [],
  );
  return (place) => {
    let known = place;
    for (const { names, to } of renames) {
      const steps = [...known.entries()].filter(([, step]) => typeof step === 'string');
      const [at] = steps[names.length - 1] ?? [];
      if (at !== undefined && names.every((name, index) => steps[index]?.[1] === name))
        known = known.with(at, to);
    }
    return known;
  };
}

function compileRewrite(rewrite: FetchDataRewrite, isType: TypeTest): Rewrite {
  const path = rewrite.path.slice(0, -1);
  const key = rewrite.path.at(-1) ?? '';
  const change = (entity: Entity): void => {
    if (rewrite.kind === 'ValueSetter') put(entity, key, rewrite.setValueTo);
    else {
      const value = own(entity, key);
      if (value === undefined) return;
      put(entity, rewrite.renameKeyTo, value);
      put(entity, key, undefined);
    }
  };
  const visit = (value: unknown, at: number, levels = deepest): void => {
    if (Array.isArray(value)) {
      // A list of lists without end is of no type.
      if (levels > 0) for (const item of value) visit(item, at, levels - 1);
      return;
    }
    if (!isEntity(value)) return;
    const step = path[at];
    if (step === undefined) change(value);
    else if (!step.startsWith(fragmentPrefix)) visit(own(value, step), at + 1);
    else if (!value['__typename'] || isType(value['__typename'], step.slice(fragmentPrefix.length)))
      visit(value, at + 1);
  };
  return (entity) => visit(entity, 0);
}
