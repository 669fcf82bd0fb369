import type { QueryPlanSelectionNode } from '@apollo/query-planner';
import { type Entity, isEntity, merge, own, put } from './entity.js';
import type { Rewrite } from './rewrites.js';
import type { ObjectTest, TypeTest } from './types.js';

/** How an entity is shown to the subgraph that is asked for more of it. */
export interface Representation {
  /**
   * What tells representations apart: equal ones have equal keys. Undefined for an entity that the fetch is not
   * about, or that lacks what it needs.
   */
  keyOf(entity: Entity): unknown;
  /** The representation as JSON, of an entity that has a key. */
  jsonOf(entity: Entity): string;
  /** How many fields it has, where those are scalars: an object with as many has nothing else. 0 where it cannot be told. */
  size: number;
}

type Selections = readonly QueryPlanSelectionNode[];
type Write = (entity: Entity) => string | undefined;
interface Fragment {
  condition: string | undefined;
  selections: Selections;
  write: Write;
}

/** What of the fragments is for objects of a type. */
interface Matching {
  fragments: readonly Fragment[];
  names: readonly string[];
  /** The fragment that is all of it, and is written as it stands. */
  only: Fragment | undefined;
}

/** What is known of types, by the supergraph's schema. */
export interface Types {
  isType: TypeTest;
  isObject: ObjectTest;
}

/** Whether fields of these names hold a key of a type. */
export type HasKey = (typename: unknown, names: ReadonlySet<string>) => boolean;

/** Compiles the `requires` of a fetch. What they show no key of by `hasKey` is not what the fetch is about. */
export function compileRepresentation(
  requires: Selections,
  { isType, isObject }: Types,
  rewrite: Rewrite | undefined,
  hasKey: HasKey = () => true,
): Representation {
  const fragments = requires.map((selection): Fragment => {
    const isFragment = selection.kind === 'InlineFragment';
    const selections = isFragment ? selection.selections : [selection];
    return {
      condition: isFragment ? selection.typeCondition : undefined,
      selections,
      write: compileWriter(selections, isType),
    };
  });
  const [only, ...more] = fragments;
  const names = only && more.length === 0 && !rewrite ? scalarsOf(only.selections) : [];
  if (!only || names.length === 0) {
    const write = byType(fragments, { isType, hasKey }, rewrite);
    return { keyOf: write, jsonOf: (entity) => write(entity) as string, size: 0 };
  }
  const { condition } = only;
  if (names.length === 2 && condition !== undefined && isObject(condition)) return byOneKey(names, condition);
  const write = onlyOf(only, isType);
  return { keyOf: write, jsonOf: (entity) => write(entity) as string, size: names.length };
}

/** The common case, a key of one scalar field of one type: its value tells entities apart. */
function byOneKey(names: readonly string[], typename: string): Representation {
  const key = names.find((name) => name !== '__typename') as string;
  const [start, end] = JSON.stringify(
    Object.fromEntries(names.map((name) => [name, name === key ? 0 : typename])),
  ).split(':0') as [string, string];
  return {
    keyOf(entity) {
      if (entity['__typename'] !== typename) return undefined;
      const value = own(entity, key);
      return typeof value === 'string'
        ? textKey(value)
        : typeof value === 'object'
          ? JSON.stringify(value)
          : value;
    },
    jsonOf: (entity) => `${start}:${JSON.stringify(own(entity, key))}${end}`,
    size: 2,
  };
}

/** A text as it is, unless it could be taken for the JSON of another value. */
function textKey(text: string): string {
  const first = text.charCodeAt(0);
  return first === 0x5b || first === 0x7b || first === 0x6e || first === 0x22 ? JSON.stringify(text) : text;
}

/** The names of selections that are all fields without selections of their own, `__typename` among them. */
function scalarsOf(selections: Selections): string[] {
  const names = selections.map((selection) =>
    selection.kind === 'Field' && !selection.selections ? (selection.alias ?? selection.name) : '',
  );
  return names.includes('') || !names.includes('__typename') || new Set(names).size < names.length
    ? []
    : names;
}

const onlyOf =
  ({ condition, write }: Fragment, isType: TypeTest): Write =>
  (entity) => {
    const typename = entity['__typename'];
    const isMeant = typename && (condition === undefined || isType(typename, condition));
    return isMeant ? write(entity) : undefined;
  };

function byType(
  fragments: readonly Fragment[],
  { isType, hasKey }: { isType: TypeTest; hasKey: HasKey },
  rewrite: Rewrite | undefined,
): Write {
  const matching = new Map<unknown, Matching>();
  const matchingOf = (typename: unknown): Matching => {
    const known = matching.get(typename);
    if (known) return known;
    const meant = fragments.filter(({ condition }) => condition === undefined || isType(typename, condition));
    const names = new Set(meant.flatMap(({ selections }) => namesOf(selections)));
    const [only, ...more] = meant;
    const isFlat = more.length === 0 && only?.selections.every(({ kind }) => kind === 'Field') === true;
    // Of an object of another type there may be what fields require, and no key.
    const found = {
      fragments: hasKey(typename, names) ? meant : [],
      names: [...names],
      only: isFlat && !rewrite ? only : undefined,
    };
    // Types are named by subgraphs: one that makes names up must not fill the memory.
    if (matching.size < 1_000) matching.set(typename, found);
    return found;
  };
  return (entity) => {
    const typename = entity['__typename'];
    if (!typename) return undefined;
    const { fragments: found, names, only } = matchingOf(typename);
    if (found.length === 0) return undefined;
    if (only) return only.write(entity);
    const whole: Entity = {};
    for (const { selections } of found) {
      const part = select(entity, selections, isType);
      if (part) merge(whole, part, true);
    }
    if (!whole['__typename']) return undefined;
    // What is not there may be the key.
    const isWhole = names.every((name) => own(whole, name) !== undefined);
    if (!isWhole && !hasKey(typename, new Set(Object.keys(whole)))) return undefined;
    rewrite?.(whole);
    return JSON.stringify(whole);
  };
}

/** The names of the fields of an object, whatever fragments they stand in. */
export const namesOf = (selections: Selections): string[] =>
  selections.flatMap((selection) =>
    selection.kind === 'InlineFragment' ? namesOf(selection.selections) : (selection.alias ?? selection.name),
  );

/** A writer for fields without type conditions writes their JSON at once, with no object between. */
function compileWriter(selections: Selections, isType: TypeTest): Write {
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
  if (fields.length < selections.length || !fields.some(({ name }) => name === '__typename')) {
    return (entity) => {
      const whole = select(entity, selections, isType);
      return whole?.['__typename'] ? JSON.stringify(whole) : undefined;
    };
  }
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
      const part = selection.selections ? selectValue(value, selection.selections, isType) : value;
      // Another part of the value may have been selected within a fragment.
      if (own(result, name) === undefined) put(result, name, part);
      else merge(result, { [name]: part }, true);
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
