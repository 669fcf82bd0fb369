import { buildSchema, getVariableValues, type OperationDefinitionNode, parse } from 'graphql';
import { expect, test } from 'vitest';
import { compileVariableTest } from './variables.js';

const values: readonly unknown[] = [
  ...[undefined, null, '', 'text', 'constructor', true, false, 0, -0, 1.5, 2 ** 31, -(2 ** 31), 2 ** 31 - 1],
  ...[Number.NaN, Number.POSITIVE_INFINITY, 1e300, [], ['text'], {}, { a: 1 }],
];
const types = ['ID', 'String', 'Boolean', 'Int', 'Float', '[Int]', 'Kind', 'Input', 'Any'];
const schema = buildSchema(`
  enum Kind { A }
  input Input { a: Int }
  scalar Any
  type Query { a(id: ID, text: String, is: Boolean, int: Int, float: Float): Int }
`);

test.each(types.flatMap((type) => [type, `${type}!`]))(
  'what passes for %s is right to graphql, too',
  (type) => {
    const operation = operationOf(`query ($v: ${type}) { a }`);
    const areRight = compileVariableTest(operation);
    for (const value of values) {
      const variables = value === undefined ? {} : { v: value };
      const { errors } = getVariableValues(schema, operation.variableDefinitions ?? [], variables);
      if (errors) expect(areRight(variables), String(value)).toBe(false);
    }
  },
);

test('what most requests have passes', () => {
  const areRight = compileVariableTest(
    operationOf('query ($id: ID!, $first: Int = 5, $after: String, $kind: Kind, $all: Boolean!) { a }'),
  );
  expect(areRight({ id: 'a', first: 3, all: true })).toBe(true);
  expect(areRight({ id: 'a', after: 'b', all: false, unknown: {} })).toBe(true);
  expect(areRight({ id: 7, all: true })).toBe(true);
});

test.each(['constructor', '__proto__'])('no variable is inherited: $%s', (name) => {
  const areRight = compileVariableTest(operationOf(`query ($${name}: String!) { a }`));
  expect(areRight({})).toBe(false);
});

const operationOf = (query: string): OperationDefinitionNode =>
  parse(query).definitions[0] as OperationDefinitionNode;
