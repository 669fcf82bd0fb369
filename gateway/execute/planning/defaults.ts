import {
  type ArgumentNode,
  type DocumentNode,
  type GraphQLArgument,
  type GraphQLCompositeType,
  type GraphQLInputField,
  type GraphQLInputType,
  type GraphQLSchema,
  isCompositeType,
  isInputObjectType,
  isListType,
  isNonNullType,
  Kind,
  type ObjectFieldNode,
  print,
  TypeInfo,
  type ValueNode,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import { parseFieldSet } from './needs.js';

/**
 * A supergraph whose `@requires` write out what they leave to defaults: where GRAM is the default, `weight` and
 * `weight(unit: GRAM)` become one text. Plans have one place for both, and subgraphs take no document that has both
 * texts there.
 */
export function withDefaults(supergraph: DocumentNode, schema: GraphQLSchema): DocumentNode {
  let parent: GraphQLCompositeType | undefined;
  const enter = ({ name }: { name: { value: string } }): undefined => {
    const type = schema.getType(name.value);
    parent = isCompositeType(type) ? type : undefined;
  };
  return visit(supergraph, {
    ObjectTypeDefinition: enter,
    InterfaceTypeDefinition: enter,
    Directive: ({ name }) => (name.value === 'join__field' ? undefined : false),
    Argument(node): ArgumentNode | undefined {
      const { name, value } = node;
      if (name.value !== 'requires' || value.kind !== Kind.STRING || !parent) return undefined;
      return { ...node, value: { ...value, value: fieldSetWithDefaults(value.value, parent, schema) } };
    },
  });
}

function fieldSetWithDefaults(text: string, parent: GraphQLCompositeType, schema: GraphQLSchema): string {
  const set = parseFieldSet(text);
  if (!set) return text;
  const types = new TypeInfo(schema, parent);
  const written = visit(
    set,
    visitWithTypeInfo(types, {
      Field: {
        leave: ({ arguments: given = [], ...field }) => ({
          ...field,
          arguments: completed(given, types.getFieldDef()?.args ?? [], Kind.ARGUMENT),
        }),
      },
    }),
  );
  return print(written).slice(1, -1).trim();
}

/** Arguments, or the fields of an input object, with those that have a default. */
function completed<T extends ArgumentNode | ObjectFieldNode>(
  given: readonly T[],
  definitions: readonly (GraphQLArgument | GraphQLInputField)[],
  kind: T['kind'],
): T[] {
  return definitions.flatMap(({ name, type, astNode }) => {
    const value = given.find((one) => one.name.value === name)?.value ?? astNode?.defaultValue;
    if (!value) return [];
    return [{ kind, name: { kind: Kind.NAME, value: name }, value: completeValue(value, type) } as T];
  });
}

function completeValue(value: ValueNode, type: GraphQLInputType): ValueNode {
  if (isNonNullType(type)) return completeValue(value, type.ofType);
  if (value.kind === Kind.NULL) return value;
  if (isListType(type)) {
    const values = value.kind === Kind.LIST ? value.values : [value];
    return { kind: Kind.LIST, values: values.map((one) => completeValue(one, type.ofType)) };
  }
  if (!isInputObjectType(type) || value.kind !== Kind.OBJECT) return value;
  const fields = completed(value.fields, Object.values(type.getFields()), Kind.OBJECT_FIELD);
  return { kind: Kind.OBJECT, fields };
}
