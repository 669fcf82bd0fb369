import { type GraphQLEnumType, type GraphQLLeafType, isEnumType } from 'graphql';
import { deepest } from './depth.js';

/** Whether a value that is not null is one of the type's, as a subgraph writes them in JSON. */
export interface LeafTest {
  test(value: unknown): boolean;
  /** What stands in the answer for a value of the type, where that is not the value. */
  written?(value: unknown): unknown;
  /** What holds of most such values, of none that is written otherwise, and of nothing else, as an expression about `value` for generated code. */
  expression?: string;
}

const isString = (value: unknown): boolean => typeof value === 'string';

/** By the names of GraphQL's own scalars. */
export const builtIn: Readonly<Record<string, LeafTest>> = {
  Int: {
    test: (value) => typeof value === 'number' && (value | 0) === value,
    // What is no number may throw where it is made one.
    expression: "typeof value === 'number' && (value | 0) === value",
  },
  // 1e999 is a number to JSON.parse, and null to JSON.stringify.
  Float: { test: Number.isFinite, expression: 'Number.isFinite(value)' },
  String: { test: isString, expression: "typeof value === 'string'" },
  Boolean: { test: (value) => typeof value === 'boolean', expression: "typeof value === 'boolean'" },
  ID: {
    test: (value) => isString(value) || Number.isInteger(value),
    written: String,
    expression: "typeof value === 'string'",
  },
};

/** Whether JSON says the same of a value once it is written, and of all that is in it. */
function isWritable(value: unknown, levels: number): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || value === null) return true;
  return levels > 0 && Object.values(value).every((inner) => isWritable(inner, levels - 1));
}

const writable: LeafTest = {
  test: (value) => isWritable(value, deepest),
  expression: "typeof value === 'string' || Number.isFinite(value)",
};

/** A custom scalar may be anything that can be written; an enum has the values that clients know, and no others. */
export const leafTest = (type: GraphQLLeafType): LeafTest =>
  isEnumType(type) ? enumTest(type) : (builtIn[type.name] ?? writable);

function enumTest(type: GraphQLEnumType): LeafTest {
  const values = new Set<unknown>(type.getValues().map(({ name }) => name));
  return { test: (value) => values.has(value) };
}
