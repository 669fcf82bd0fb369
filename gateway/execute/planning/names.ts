import { type DocumentNode, type FieldNode, type FragmentDefinitionNode, Kind, visit } from 'graphql';
import { isIntrospection } from '../introspection.js';
import { meaningOf } from './exclusive.js';
import type { Needs } from './needs.js';

/** A document for the planner, and what clients call those of its fields that were given another name. */
export interface Renamed {
  document: DocumentNode;
  /** A client's response name by the planner's; what does not stand here is called the same. */
  clientNames: ReadonlyMap<string, string>;
}

/**
 * Gives response names of our own to fields that would stand in the place of what plans fetch unasked: in
 * `{ products { id: name stock } }` the key `id` has to go somewhere, and Apollo's planner lets it go, as it
 * passes a `weight(unit: KILO)` for the `weight` that some field requires. So it does with `ambiguous` ones (see
 * `ambiguousMeanings`), of which one would stand in the place of another.
 */
export function renameFields(
  document: DocumentNode,
  { names, withArguments }: Pick<Needs, 'names' | 'withArguments'>,
  ambiguous: ReadonlySet<string> = new Set(),
): Renamed {
  /** What is below `__schema` and `__type` is no entity's, and is answered without a plan. */
  let introspected = 0;
  const isInTheWay = (field: FieldNode): boolean => {
    if (introspected > 0) return false;
    const { alias, name } = field;
    if (ambiguous.size > 0 && ambiguous.has(meaningOf(field))) return true;
    return (
      names.has((alias ?? name).value) &&
      (alias && alias.value !== name.value ? true : withArguments.has(name.value))
    );
  };
  const leave = (field: FieldNode): undefined => {
    if (isIntrospection(field)) introspected--;
  };
  const used = new Set<string>();
  let isAny = false;
  visit(document, {
    FragmentDefinition: skipsIntrospection,
    Field: {
      enter(field) {
        used.add((field.alias ?? field.name).value);
        isAny ||= isInTheWay(field);
        if (isIntrospection(field)) introspected++;
      },
      leave,
    },
  });
  if (!isAny) return { document, clientNames: new Map() };

  let prefix = '_r';
  while ([...used, ...names].some((name) => name.startsWith(prefix))) prefix += 'r';
  /** Fields that merge have to go on doing so: the same name, field and arguments get the same new name. */
  const given = new Map<string, string>();
  const clientNames = new Map<string, string>();
  const renamed = visit(document, {
    FragmentDefinition: skipsIntrospection,
    Field: {
      enter(field) {
        const isKept = !isInTheWay(field);
        if (isIntrospection(field)) introspected++;
        if (isKept) return undefined;
        const name = (field.alias ?? field.name).value;
        const key = meaningOf(field);
        const value = given.get(key) ?? `${prefix}${given.size}`;
        given.set(key, value);
        clientNames.set(value, name);
        return { ...field, alias: { kind: Kind.NAME, value } };
      },
      leave,
    },
  });
  return { document: renamed, clientNames };
}

/** The types of introspection have names that no others may have. */
const skipsIntrospection = ({ typeCondition }: FragmentDefinitionNode): false | undefined =>
  typeCondition.name.value.startsWith('__') ? false : undefined;
