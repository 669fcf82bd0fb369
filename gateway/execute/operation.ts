import type { FetchNode, PlanNode, QueryPlan, QueryPlanner } from '@apollo/query-planner';
import {
  type DocumentNode,
  type GraphQLError,
  type GraphQLFormattedError,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
  parse,
  print,
} from 'graphql';
import type { LRUCache } from 'lru-cache';
import { problem } from '../../platform/errors.js';
import type { ReadOperation } from '../../platform/graphql/operation.js';
import { variableErrors } from '../../platform/graphql/operation.js';
import type { GatewayContext } from '../context.js';
import { refuseExpansion } from '../guard/expansion.js';
import type { LoadedSupergraph } from '../supergraph.js';
import { blame, compileAsking, lazilyFetched } from './blame.js';
import type { CompleteObject, Completion } from './completion.js';
import type { Event } from './engine.js';
import { type Entity, merge } from './entity.js';
import type { Run } from './fetch.js';
import { compileIntrospection } from './introspection.js';
import { compileFault, mayLackReasons, unexplained } from './missing.js';
import { compileParts } from './parts.js';
import type { Path } from './paths.js';
import { compilePlan } from './plan.js';
import { findConflict } from './planning/conflicts.js';
import { ambiguousMeanings } from './planning/exclusive.js';
import { renameFields } from './planning/names.js';
import { withConditionsSettled } from './planning/plannable.js';
import { planOf, refusalBy } from './planning/planner.js';
import { findUnmet } from './planning/unmet.js';
import { meetsVeils } from './planning/veils.js';
import { compileReplace, compileRewrites } from './rewrites.js';
import { conditionVariables, includedBy, type OperationParts, operationOf } from './selections.js';
import { compileShape } from './shape.js';
import type { SubgraphSource } from './source.js';
import { keyTest, objectTest, typeTest } from './types.js';
import { compileVariableTest } from './variables.js';
import { variants } from './variants.js';
import { compileWanted } from './wanted.js';

type Variables = Readonly<Record<string, unknown>>;

export interface Executed {
  data: Entity | null;
  /** As subgraphs gave them, with their place in this answer. */
  errors: GraphQLFormattedError[];
  /** Places whose value does not fit its type, and the subgraph that answered it where it can be told. */
  wrong: { path: (string | number)[]; service: string | undefined }[];
}

/** An operation, planned and compiled: what is left to do is what depends on a request. */
export interface CompiledOperation {
  kind: OperationTypeNode;
  name: string | undefined;
  /** The operation and its fragments, and nothing else. */
  document: DocumentNode;
  plan: QueryPlan;
  /** The plan with which it is run, which may be one of its own for what its variables leave out. */
  planFor(variables: Variables): QueryPlan;
  /** What the plan and its one shape take of memory, in hundreds of bytes; where there are more shapes, those weigh themselves. */
  weight(): number;
  /** The fetch that a subscription begins with; undefined for queries and mutations. */
  primary: FetchNode | undefined;
  /** What is wrong with variables, with BAD_USER_INPUT, or with what they leave of the operation. */
  variableErrors(variables: Variables): readonly GraphQLError[];
  /** Runs it with variables that are right; a subscription once for each event. */
  execute(variables: Variables, context: GatewayContext, event?: Event): Promise<Executed>;
}

/** Response shapes by operation and combination; each weighs as much as its document and what data have made of it. */
export type Shapes = LRUCache<string, CompleteObject>;

/** Operations that are planned for one combination, or why they cannot be. */
export type Combinations = LRUCache<string, CompiledOperation | readonly GraphQLError[]>;

export interface OperationEnvironment {
  graph: LoadedSupergraph;
  planner: QueryPlanner;
  sources: ReadonlyMap<string, SubgraphSource>;
  introspection: boolean;
  /** What is compiled for each combination of what `@skip` and `@include` say, of all operations. */
  shapes: Shapes;
  combinations: Combinations;
  /** For an executor that does not know of `renameFields`. */
  keepsNames?: boolean;
}

/**
 * Plans and compiles an operation of a valid document. `onGrowth` is called whenever it weighs more.
 * @throws GraphQLError where it cannot be run
 */
export function compileOperation(
  read: ReadOperation & { query: string },
  environment: OperationEnvironment,
  onGrowth: () => void = () => undefined,
): CompiledOperation {
  const { graph, planner, sources, introspection, shapes } = environment;
  const name = read.operation.name?.value;
  // What is kept has no locations: they are most of a document's memory.
  const asked = operationOf(parse(read.query, { noLocation: true }), name);
  const parsed = documentOf(asked);
  const tooLarge = refuseExpansion(asked.operation, asked.fragments);
  if (tooLarge) throw tooLarge;
  const { document, clientNames } = environment.keepsNames
    ? { document: parsed, clientNames: new Map<string, string>() }
    : renameFields(
        parsed,
        graph.needs,
        ambiguousMeanings(graph.clientSchema, asked, graph.needs.veils.types),
      );
  const { operation, fragments } = operationOf(document, name);
  const type = graph.clientSchema.getRootType(operation.operation);
  if (!type) throw new Error(`the schema has no ${operation.operation}`);
  const { selectionSet } = operation;
  const conditions = conditionVariables({ operation, fragments });
  // What cannot be planned, or is in conflict, for what a condition leaves out may be run without that.
  const mayBeApart =
    conditions.length > 0 &&
    !environment.keepsNames &&
    operation.operation !== OperationTypeNode.SUBSCRIPTION;
  // Apollo's planner loses conditions within interfaces that subgraphs have as objects.
  const isApart = mayBeApart && meetsVeils(document, graph.clientSchema, graph.needs.veils);
  const planned = isApart ? nothing : planOf(planner, graph, document, name);
  const plan = 'kind' in planned ? planned : nothing;
  const defaults = defaultConditions(operation);
  const types = { isType: typeTest(graph.supergraphSchema), isObject: objectTest(graph.supergraphSchema) };
  const { primary, rest } = stepsOf(plan, operation);
  const fetched = lazilyFetched(primary, rest);
  const refusal =
    'kind' in planned
      ? environment.keepsNames
        ? undefined
        : (findUnmet(graph.needs, graph.supergraphSchema, fetched) ??
          findConflict(graph.needs, graph.supergraphSchema, { kind: operation.operation, fetched }))
      : planned;
  if (refusal && !mayBeApart) throw refusal;
  const condition = (variables: Variables, variable: string): boolean => {
    const value = Object.hasOwn(variables, variable) ? variables[variable] : undefined;
    return (value === undefined ? defaults.get(variable) : value) === true;
  };
  const hasKey = keyTest(graph.supergraphSchema, graph.needs.keys);
  const conditionsFor = (variables: Variables): Map<string, boolean> =>
    new Map(conditions.map((variable) => [variable, condition(variables, variable)]));
  const partsOf = (node: FetchNode, path: Path) =>
    compileParts(node, {
      ...{ needs: graph.needs, isType: types.isType, hasKey },
      wantedBy: compileWanted(node, path, {
        ...{ operation, fragments, rest, fetched, isType: types.isType },
        schema: graph.clientSchema,
      }),
    });
  const step = compilePlan(rest, {
    ...{ sources, types, hasKey, partsOf, condition, fetched },
    includedFor: (variables) => includedBy(conditionsFor(variables)),
  });
  const askingFor = compileAsking(fetched, clientNames, { types, partsOf, hasKey });
  const rewriteEvent = compileRewrites(primary?.outputRewrites, types.isType);
  const replaceInEvent = compileReplace(primary?.outputRewrites);
  const areRight = compileVariableTest(operation);
  const introspect = compileIntrospection(graph.clientSchema, operation, fragments);

  let weight = JSON.stringify(plan).length;
  const grow = (more: number): void => {
    weight += more;
    onGrowth();
  };
  const compile = (values: ReadonlyMap<string, boolean>, onShapeGrowth: (weight: number) => void) =>
    compileShape({
      schema: graph.clientSchema,
      supergraphSchema: graph.supergraphSchema,
      fragments,
      isIncluded: includedBy(values),
      clientNames,
      introspect,
      onGrowth: onShapeGrowth,
      type,
      selectionSet,
    });
  const characters = read.query.length;
  const shapeOf =
    conditions.length === 0
      ? always(compile(new Map(), grow))
      : variants({ conditions, condition, compile, kept: shapes, characters });
  const inClientNames = (error: GraphQLFormattedError): GraphQLFormattedError =>
    error.path
      ? { ...error, path: error.path.map((step) => clientNames.get(step as string) ?? step) }
      : error;

  const compiled: CompiledOperation = {
    kind: operation.operation,
    name,
    document: documentOf({ operation, fragments }),
    plan,
    planFor: () => plan,
    weight: () => weight,
    primary,
    variableErrors: (variables) =>
      areRight(variables)
        ? []
        : [
            ...variableErrors(graph.clientSchema, operation, variables, { introspection }),
            ...conditions
              .filter((variable) => Object.hasOwn(variables, variable) && variables[variable] === null)
              .map((variable) => conditionIsNull(variable)),
          ],
    async execute(variables, context, event) {
      const root: Entity = {};
      const run: Run = {
        root,
        variables,
        context: operation.operation === OperationTypeNode.MUTATION ? uncancellable(context) : context,
        errors: (event?.errors ?? []).map((error) =>
          error.path ? { ...error, path: replaceInEvent([...error.path]) } : error,
        ),
        shared: new Map(),
        untold: new Set(),
        repeated: new Map(),
      };
      if (event?.data) {
        rewriteEvent?.(event.data);
        merge(root, event.data, true);
      }
      await step(run);
      const errors = clientNames.size > 0 ? run.errors.map(inClientNames) : run.errors;
      const complete = shapeOf(variables);
      const completion: Completion = {
        variables,
        isWrong: false,
        path: undefined,
        wrong: [],
        isMissing: false,
        missing: [],
        within: undefined,
        repeated: run.repeated,
      };
      const data = complete(root, completion) ?? null;
      const isUnexplained = completion.isMissing && mayLackReasons(run);
      if (!completion.isWrong && !isUnexplained) return { data, errors, wrong: [] };
      const again: Completion = { ...completion, path: [] };
      complete(root, again);
      const asking = askingFor(conditionsFor(variables));
      const wrong = again.wrong.map((path) => ({ path, service: blame(asking, path) }));
      if (!isUnexplained) return { data, errors, wrong };
      const isFault = compileFault(asking, conditions.length > 0);
      for (const { path, within } of unexplained(again.missing, errors, run.untold))
        if (isFault(path)) wrong.push({ path, service: blame(asking, path, within) });
      return { data, errors, wrong };
    },
  };
  if (!refusal && !isApart) return compiled;
  const compileSettled = (values: ReadonlyMap<string, boolean>, onSettledGrowth: (weight: number) => void) =>
    compileWeighed(
      { ...read, query: print(withConditionsSettled(parsed, values)) },
      environment,
      onSettledGrowth,
    );
  const settledBy = variants({
    ...{ conditions, condition, characters, compile: compileSettled },
    kept: environment.combinations,
  });
  return plannedApart(compiled, settledBy);
}

/** An operation that is run as what its conditions leave of it, by a plan for that. */
function plannedApart(
  operation: CompiledOperation,
  settledBy: (variables: Variables) => CompiledOperation | readonly GraphQLError[],
): CompiledOperation {
  const settled = (variables: Variables): CompiledOperation => {
    const found = settledBy(variables);
    if ('execute' in found) return found;
    throw found[0];
  };
  return {
    ...operation,
    planFor: (variables) => settled(variables).plan,
    variableErrors(variables) {
      const errors = operation.variableErrors(variables);
      if (errors.length > 0) return errors;
      const found = settledBy(variables);
      return 'execute' in found ? [] : found;
    },
    execute: async (variables, context) => settled(variables).execute(variables, context),
  };
}

/** Compiles an operation, or says why it cannot be run; `onGrowth` is told how much more it weighs. */
function compileWeighed(
  read: ReadOperation & { query: string },
  environment: OperationEnvironment,
  onGrowth: (weight: number) => void,
): CompiledOperation | readonly GraphQLError[] {
  let told = 0;
  let compiled: CompiledOperation | undefined;
  const grow = (): void => {
    if (!compiled) return;
    onGrowth(compiled.weight() - told);
    told = compiled.weight();
  };
  try {
    compiled = compileOperation(read, environment, grow);
  } catch (error) {
    return [refusalBy(error)];
  }
  grow();
  return compiled;
}

/** Mutations are finished whoever goes away. */
const uncancellable = (context: GatewayContext): GatewayContext => ({ ...context, cancellation: undefined });

/** An operation with its fragments: what others of a document cost is not for this one to pay. */
const documentOf = ({ operation, fragments }: OperationParts): DocumentNode => ({
  kind: Kind.DOCUMENT,
  definitions: [operation, ...fragments.values()],
});

const nothing: QueryPlan = { kind: 'QueryPlan' };

function stepsOf({ node }: QueryPlan, operation: OperationDefinitionNode) {
  if (operation.operation !== OperationTypeNode.SUBSCRIPTION)
    return { primary: undefined, rest: node as PlanNode | undefined };
  if (node?.kind === 'Subscription') return { primary: node.primary, rest: node.rest };
  throw problem('GRAPHQL_VALIDATION_FAILED', 'A subscription selects one field, without @skip and @include.');
}

const defaultConditions = ({ variableDefinitions = [] }: OperationDefinitionNode): Map<string, boolean> =>
  new Map(
    variableDefinitions.flatMap(({ variable, defaultValue }) =>
      defaultValue?.kind === 'BooleanValue' ? [[variable.name.value, defaultValue.value]] : [],
    ),
  );

const conditionIsNull = (variable: string): GraphQLError =>
  problem('BAD_USER_INPUT', `Variable "$${variable}" decides what is selected; it is true or false.`, {
    field: variable,
  });

const always =
  <T>(value: T) =>
  () =>
    value;
