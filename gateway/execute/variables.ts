import type { OperationDefinitionNode, TypeNode } from 'graphql';
import { builtIn } from './leaf.js';

type Variables = Readonly<Record<string, unknown>>;
type Test = (value: unknown) => boolean;

const never: Test = () => false;

/**
 * Compiles a test of whether variables are certainly right, which those of most requests are: graphql's own look
 * at them costs more than the rest of what a small operation executes. Where it fails, that look decides.
 */
export function compileVariableTest({
  variableDefinitions = [],
}: OperationDefinitionNode): (variables: Variables) => boolean {
  const tests = variableDefinitions.map(({ variable, type }) => ({
    name: variable.name.value,
    test: type.kind === 'NonNullType' ? testOf(type.type) : optional(testOf(type)),
  }));
  return (variables) => tests.every(({ name, test }) => test(variables[name]));
}

const testOf = (type: TypeNode): Test =>
  (type.kind === 'NamedType' && builtIn[type.name.value]?.test) || never;

const optional =
  (test: Test): Test =>
  (value) =>
    value === undefined || test(value);
