import type { FetchNode, QueryPlan } from '@apollo/query-planner';
import type { DocumentNode, GraphQLError, GraphQLFormattedError, OperationTypeNode } from 'graphql';
import type { Principal } from '../../platform/auth/principal.js';
import type { GatewayContext } from '../context.js';
import type { Entity } from './entity.js';

/** Which operation of which document. */
export interface OperationRequest {
  query: string;
  operationName?: string | null | undefined;
}

export interface EngineRequest extends OperationRequest {
  variables: Readonly<Record<string, unknown>>;
  /** By GET nothing may be changed. */
  method: 'GET' | 'POST';
}

/** What an operation came to. */
export interface Outcome {
  /** Undefined where it was refused before it ran. */
  data?: Entity | null;
  errors?: readonly GraphQLFormattedError[];
  /** The HTTP status that says it. */
  status: number;
}

/** An event of a subscription, as the subgraph that owns its field sent it. */
export interface Event {
  data: Entity | null;
  errors: readonly GraphQLFormattedError[];
}

/** A subscription that can be run: what its upstream is asked, and how each event becomes an answer. */
export interface LiveOperation {
  primary: FetchNode;
  /** Errors of the answer are not yet as clients may see them. */
  complete(
    event: Event,
    variables: Readonly<Record<string, unknown>>,
    context: GatewayContext,
  ): Promise<{ data: Entity | null; errors?: readonly GraphQLFormattedError[] }>;
}

/** An operation that has been read, validated and planned. */
export interface ReadyOperation {
  kind: OperationTypeNode;
  name: string | undefined;
  /** The operation and its fragments, and nothing else. */
  document: DocumentNode;
  /** The plan with which it is run with variables that are right. */
  planFor(variables: Readonly<Record<string, unknown>>): QueryPlan;
  /** Null for queries and mutations. */
  live: LiveOperation | null;
  /** What was read in place of what was asked for, for who may not see all of that; and what tells it from others. */
  variant?: { key: string; request: OperationRequest };
  /** What is wrong with variables, with BAD_USER_INPUT. */
  variableErrors(variables: Readonly<Record<string, unknown>>): readonly GraphQLError[];
}

/** Who executes operations on one supergraph. */
export interface Engine {
  /** Runs a query or a mutation; its errors are as clients may see them. */
  execute(request: EngineRequest, context: GatewayContext): Promise<Outcome>;
  /** Reads an operation for who asks, or answers its errors with their codes. */
  read(request: OperationRequest, principal: Principal | null): ReadyOperation | readonly GraphQLError[];
  /** Gives back the memory of operations that it keeps for the next request; there will be few, or none. */
  forget(): void;
  close(): Promise<void>;
}
