import { type FieldNode, Kind } from 'graphql';
import { LRUCache } from 'lru-cache';
import type { CompleteObject, Completion } from '../../execute/completion.js';
import type { Entity } from '../../execute/entity.js';
import { compileIntrospection } from '../../execute/introspection.js';
import { conditionVariables, includedBy, type OperationParts } from '../../execute/selections.js';
import { compileShape } from '../../execute/shape.js';
import type { LoadedSupergraph } from '../../supergraph.js';

/** So many places of one answer are told that may not be seen. */
const mostDenied = 1_000;
/** For so many combinations of `@skip` and `@include` what is made of an answer is kept. */
const mostShapes = 32;

/** What a client gets of the answer to what was left of its operation. */
export type WithDenied = (
  data: Entity,
  variables: Readonly<Record<string, unknown>>,
) => { data: Entity | null; denied: (string | number)[][] };

/**
 * Compiles how the answer to what was left of an operation becomes one to all of it: fields that were taken out are
 * null, and so is what cannot be without them. Answers the places of those too. `others`, where given, stands for all
 * fields of the root that are left, whatever the answer has.
 */
export function compileWithDenied(
  { operation, fragments }: OperationParts,
  { clientSchema: schema, supergraphSchema }: LoadedSupergraph,
  removed: ReadonlySet<FieldNode>,
  clientNames: ReadonlyMap<string, string>,
  others?: () => unknown,
): WithDenied {
  const type = schema.getRootType(operation.operation);
  if (!type) throw new Error(`the schema has no ${operation.operation}`);
  const conditions = conditionVariables({ operation, fragments });
  const defaults = new Map(
    (operation.variableDefinitions ?? []).map(({ variable, defaultValue }) => [
      variable.name.value,
      defaultValue?.kind === Kind.BOOLEAN && defaultValue.value,
    ]),
  );
  const shapes = new LRUCache<string, CompleteObject>({ max: mostShapes });
  let denied: (string | number)[][] = [];
  const deny = (_value: unknown, { path = [] }: Completion): null => {
    if (denied.length < mostDenied) denied.push([...path]);
    return null;
  };

  const shapeOf = (variables: Readonly<Record<string, unknown>>): CompleteObject => {
    const values = conditions.map((name) => (variables[name] ?? defaults.get(name)) === true);
    const key = values.map(Number).join('');
    const known = shapes.get(key);
    if (known) return known;
    const compiled = compileShape({
      ...{ schema, supergraphSchema, fragments, type, clientNames },
      selectionSet: operation.selectionSet,
      isIncluded: includedBy(new Map(conditions.map((name, index) => [name, values[index] === true]))),
      introspect: compileIntrospection(schema, operation, fragments),
      onGrowth: () => undefined,
      insteadOf: (nodes) => (nodes.every((node) => removed.has(node)) ? deny : others),
    });
    shapes.set(key, compiled);
    return compiled;
  };

  return (data, variables) => {
    denied = [];
    const completion: Completion = {
      variables,
      isWrong: false,
      path: [],
      wrong: [],
      isMissing: false,
      missing: [],
      within: undefined,
      repeated: new Map(),
    };
    return { data: shapeOf(variables)(data, completion) ?? null, denied };
  };
}
