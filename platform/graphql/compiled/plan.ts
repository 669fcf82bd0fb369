import type { FieldNode, GraphQLObjectType, OperationDefinitionNode } from 'graphql';
import type { Selecting } from './collect.js';
import type { Path, Run } from './run.js';

/**
 * Resolves the fields of an object into a new one: a promise where one of them is. Throws, or rejects, where one that
 * may not be null is.
 */
export type Selection = (run: Run, source: unknown, path: Path | undefined) => unknown;

/** What all parts of a compiled operation are made from. */
export interface Plan extends Selecting {
  readonly operation: OperationDefinitionNode;
  /** What the nodes of one field select of an object type. */
  select(type: GraphQLObjectType, nodes: readonly FieldNode[]): Selection;
}
