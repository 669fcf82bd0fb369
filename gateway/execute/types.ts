import { type GraphQLSchema, isAbstractType, isInterfaceType, isObjectType } from 'graphql';
import { keysAt } from './planning/needs.js';

/** Whether an object that says it is of type `typename` is of type `condition`. */
export type TypeTest = (typename: unknown, condition: string) => boolean;

/** Whether a name is that of an object type: what is of such a type says so by that name. */
export type ObjectTest = (name: string) => boolean;

export const objectTest =
  (schema: GraphQLSchema): ObjectTest =>
  (name) =>
    isObjectType(schema.getType(name));

/** By the supergraph's schema, with the types that clients do not see: plans speak of those too. */
export function typeTest(schema: GraphQLSchema): TypeTest {
  return (typename, condition) => {
    if (typename === condition) return true;
    if (typeof typename !== 'string') return false;
    const type = schema.getType(typename);
    const wanted = schema.getType(condition);
    return (
      isAbstractType(wanted) &&
      (isObjectType(type) || isInterfaceType(type)) &&
      schema.isSubType(wanted, type)
    );
  };
}

/** Whether fields of these names hold a key of a type, by which a subgraph is asked about it. */
export type KeyTest = (service: string, typename: unknown, names: ReadonlySet<string>) => boolean;

/** By which keys a subgraph is asked about a type, as itself or as an interface of its. */
export function keyTest(
  schema: GraphQLSchema,
  keys: ReadonlyMap<string, readonly (readonly string[])[]>,
): KeyTest {
  return (service, typename, names) => {
    const type = typeof typename === 'string' ? schema.getType(typename) : undefined;
    const interfaces = isObjectType(type) ? type.getInterfaces() : [];
    const known = [String(typename), ...interfaces.map(({ name }) => name)].flatMap(
      (name) => keys.get(keysAt(service, name)) ?? [],
    );
    return known.length === 0 || known.some((key) => key.every((name) => names.has(name)));
  };
}
