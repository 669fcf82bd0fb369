import {
  type FieldNode,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  isInterfaceType,
  isObjectType,
  Kind,
  type SelectionSetNode,
} from 'graphql';
import { isIntrospection } from '../introspection.js';
import { type OperationParts, responseName } from '../selections.js';
import { argumentsOf } from './needs.js';

/** What a field asks for under which name: fields of an object that merge are alike in it. */
export const meaningOf = (field: FieldNode): string =>
  `${responseName(field)}:${field.name.value}(${argumentsOf(field)})`;

/** What is selected of objects of a type; undefined where that is nothing that a plan fetches. */
interface Selected {
  type: GraphQLNamedType | undefined;
  set: SelectionSetNode;
}

interface Found extends Selected {
  field: FieldNode;
}

/**
 * What fields mean whose response name means something else at the same place: in
 * `{ media { ... on Book { by { name } } ... on Film { by { name: nick } } } }` it depends on the type of what holds
 * them, of which paths of plans say nothing. An object's own type does not matter here: plans go by that, but for the
 * types `veiled`, which a subgraph of an interface object cannot tell from others of its interface.
 */
export function ambiguousMeanings(
  schema: GraphQLSchema,
  { operation, fragments }: OperationParts,
  veiled: ReadonlySet<string>,
): ReadonlySet<string> {
  const ambiguous = new Set<string>();

  function fieldsOf(selected: readonly Selected[]): Map<string, Found[]> {
    const fields = new Map<string, Found[]>();
    const visited = new Set<string>();
    const visit = ({ type, set }: Selected): void => {
      for (const selection of set.selections) {
        if (selection.kind === Kind.FIELD) {
          if (isIntrospection(selection)) continue;
          const name = responseName(selection);
          const found = { field: selection, type, set };
          const others = fields.get(name);
          if (others) others.push(found);
          else fields.set(name, [found]);
        } else if (selection.kind === Kind.INLINE_FRAGMENT) {
          const condition = selection.typeCondition?.name.value;
          visit({
            type: condition === undefined ? type : schema.getType(condition),
            set: selection.selectionSet,
          });
        } else if (!visited.has(selection.name.value)) {
          visited.add(selection.name.value);
          const fragment = fragments.get(selection.name.value);
          if (fragment)
            visit({
              type: schema.getType(fragment.typeCondition.name.value),
              set: fragment.selectionSet,
            });
        }
      }
    };
    for (const one of selected) visit(one);
    return fields;
  }

  function look(selected: readonly Selected[]): void {
    for (const found of fieldsOf(selected).values()) {
      if (isAmbiguous(found, veiled)) for (const { field } of found) ambiguous.add(meaningOf(field));
      const inner = found.flatMap(({ type, field }): Selected[] => {
        if (!field.selectionSet || !(isObjectType(type) || isInterfaceType(type))) return [];
        const definition = type.getFields()[field.name.value];
        return definition ? [{ type: getNamedType(definition.type), set: field.selectionSet }] : [];
      });
      if (inner.length > 0) look(inner);
    }
  }

  look([{ type: schema.getRootType(operation.operation) ?? undefined, set: operation.selectionSet }]);
  return ambiguous;
}

/** Whether fields of one name mean different things for an object of one type. */
function isAmbiguous(found: readonly Found[], veiled: ReadonlySet<string>): boolean {
  if (found.length < 2) return false;
  const meanings = new Map<string, string>();
  let areSame = true;
  let isTold = true;
  const [first] = found.map(({ field }) => meaningOf(field));
  for (const { type, field } of found) {
    const meaning = meaningOf(field);
    areSame &&= meaning === first;
    isTold &&=
      isObjectType(type) && !veiled.has(type.name) && (meanings.get(type.name) ?? meaning) === meaning;
    if (type) meanings.set(type.name, meaning);
  }
  return !areSame && !isTold;
}
