import { type GraphQLEnumType, type GraphQLLeafType, isEnumType } from 'graphql';

/** Whether a value that is not null is one of the type's, as a subgraph writes them in JSON. */
export type LeafTest = (value: unknown) => boolean;

const isInteger: LeafTest = (value) => Number.isInteger(value);
const isString: LeafTest = (value) => typeof value === 'string';

const builtIn: Readonly<Record<string, LeafTest>> = {
  Int: isInteger,
  Float: (value) => typeof value === 'number',
  String: isString,
  Boolean: (value) => typeof value === 'boolean',
  ID: (value) => isString(value) || isInteger(value),
};

/** A custom scalar may be anything; an enum has the values that clients know, and no others. */
export const leafTest = (type: GraphQLLeafType): LeafTest =>
  isEnumType(type) ? enumTest(type) : (builtIn[type.name] ?? (() => true));

function enumTest(type: GraphQLEnumType): LeafTest {
  const values = new Set<unknown>(type.getValues().map(({ name }) => name));
  return (value) => values.has(value);
}
