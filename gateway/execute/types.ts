import { type GraphQLSchema, isAbstractType, isInterfaceType, isObjectType } from 'graphql';

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
