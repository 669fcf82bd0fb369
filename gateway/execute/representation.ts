import type { QueryPlanSelectionNode } from '@apollo/query-planner';
import { type Entity, isEntity, merge, own, put } from './entity.js';
import type { Rewrite } from './rewrites.js';
import type { TypeTest } from './types.js';

/**
 * The representation of an entity that a fetch asks for, as JSON: equal ones have equal texts. Undefined for an
 * entity that the fetch is not about, or that lacks what it needs.
 */
export type Represent = (entity: Entity) => string | undefined;

type Selections = readonly QueryPlanSelectionNode[];
interface Fragment {
  condition: string | undefined;
  /** The fields as JSON, for an entity that is of the type. */
  write: (entity: Entity) => string | undefined;
  selections: Selections;
}

/** Compiles the `requires` of a fetch. */
export function compileRepresentation(
  requires: Selections,
  isType: TypeTest,
  rewrite: Rewrite | undefined,
): Represent {
  const fragments = requires.map((selection): Fragment => {
    const isFragment = selection.kind === 'InlineFragment';
    const selections = isFragment ? selection.selections : [selection];
    return {
      condition: isFragment ? selection.typeCondition : undefined,
      selections,
      write: compileWriter(selections, isType),
    };
  });
  const matching = new Map<unknown, readonly Fragment[]>();
  const fragmentsOf = (typename: unknown): readonly Fragment[] => {
    const known = matching.get(typename);
    if (known) return known;
    const found = fragments.filter(({ condition }) => condition === undefined || isType(typename, condition));
    // Types are named by subgraphs: one that makes names up must not fill the memory.
    if (matching.size < 1_000) matching.set(typename, found);
    return found;
  };

  return (entity) => {
    const typename = entity['__typename'];
    if (!typename) return undefined;
    const found = fragmentsOf(typename);
    const [only] = found;
    if (!only) return undefined;
    if (found.length === 1 && !rewrite) return only.write(entity);
    const whole: Entity = {};
    for (const { selections } of found) {
      const part = select(entity, selections, isType);
      if (part) merge(whole, part, true);
    }
    if (!whole['__typename']) return undefined;
    rewrite?.(whole);
    return JSON.stringify(whole);
  };
}

/** A writer for the common case, fields without type conditions: their JSON at once, with no object between. */
function compileWriter(selections: Selections, isType: TypeTest): (entity: Entity) => string | undefined {
  const names = selections.map((selection) => (selection.kind === 'Field' ? selection.name : ''));
  if (names.includes('') || !names.includes('__typename')) {
    return (entity) => {
      const whole = select(entity, selections, isType);
      return whole?.['__typename'] ? JSON.stringify(whole) : undefined;
    };
  }
  const fields = selections.flatMap((selection) =>
    selection.kind === 'Field'
      ? [
          {
            name: selection.alias ?? selection.name,
            start: `${JSON.stringify(selection.alias ?? selection.name)}:`,
            selections: selection.selections,
          },
        ]
      : [],
  );
  return (entity) => {
    let text = '{';
    for (let index = 0; index < fields.length; index++) {
      const field = fields[index] as (typeof fields)[number];
      const value = own(entity, field.name);
      if (value === undefined) return undefined;
      const json = field.selections ? selectValue(value, field.selections, isType) : value;
      text += (index === 0 ? '' : ',') + field.start + JSON.stringify(json);
    }
    return `${text}}`;
  };
}

/** The selected part of an object; null where a field of it is missing, because fetching it had failed. */
function select(source: Entity, selections: Selections, isType: TypeTest): Entity | null {
  const result: Entity = {};
  for (const selection of selections) {
    if (selection.kind === 'Field') {
      const name = selection.alias ?? selection.name;
      const value = own(source, name);
      if (value === undefined) return null;
      put(result, name, selection.selections ? selectValue(value, selection.selections, isType) : value);
    } else if (selection.typeCondition && isType(source['__typename'], selection.typeCondition)) {
      const part = select(source, selection.selections, isType);
      if (part) merge(result, part, true);
    }
  }
  return result;
}

function selectValue(value: unknown, selections: Selections, isType: TypeTest): unknown {
  if (Array.isArray(value)) return value.map((item) => selectValue(item, selections, isType));
  return isEntity(value) ? select(value, selections, isType) : null;
}
