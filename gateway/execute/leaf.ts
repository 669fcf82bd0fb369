import { type GraphQLEnumType, type GraphQLLeafType, isEnumType } from 'graphql';
import { deepest, isDeeper } from './depth.js';

/** Whether a value that is not null is one of the type's, as a subgraph writes them in JSON. */
export type LeafTest = (value: unknown) => boolean;

const isInteger: LeafTest = (value) => Number.isInteger(value);
const isString: LeafTest = (value) => typeof value === 'string';

const isWritable: LeafTest = (value) => !isDeeper(value, deepest);

const builtIn: Readonly<Record<string, LeafTest>> = {
  Int: isInteger,
  Float: (value) => typeof value === 'number',
  String: isString,
  Boolean: (value) => typeof value === 'boolean',
  ID: (value) => isString(value) || isInteger(value),
};

/** A custom scalar may be anything that can be written; an enum has the values that clients know, and no others. */
export const leafTest = (type: GraphQLLeafType): LeafTest =>
  isEnumType(type) ? enumTest(type) : (builtIn[type.name] ?? isWritable);

function enumTest(type: GraphQLEnumType): LeafTest {
  const values = new Set<unknown>(type.getValues().map(({ name }) => name));
  return (value) => values.has(value);
}
