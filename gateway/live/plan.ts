import type { FetchNode } from '@apollo/query-planner';
import {
  type ASTNode,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  getOperationAST,
  Kind,
  type OperationDefinitionNode,
  parse,
  parseType,
  print,
  type SelectionSetNode,
  TypeInfo,
  type ValueNode,
  valueFromASTUntyped,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import type { LiveOperation, OperationRequest, ReadyOperation } from '../execute/engine.js';
import type { Entity } from '../execute/entity.js';
import type { LoadedSupergraph } from '../supergraph.js';
import type { Resumable } from './directives.js';

type Variables = Readonly<Record<string, unknown>>;

/** What the subgraph that owns a subscription is asked. */
export interface UpstreamQuery {
  query: string;
  operationName?: string;
  variables: Record<string, unknown>;
}

/** What there is to know of a subscription before anybody asks for it. */
export interface LivePlan {
  /** The subgraph that owns its field. */
  subgraph: string;
  /**
   * Alike for operations that, with variables that are alike, have the same answers: it has neither the
   * operation's name nor where it resumes from.
   */
  identity: string;
  /** The variables that count, as text that is alike for those that are. */
  variablesText(variables: Variables): string;
  isResumable: boolean;
  /** Whether everybody who may see its events sees the same ones, and they can be taken up from a cursor. */
  isShared: boolean;
  /** The cursor that the client has; undefined where it asks for the present state. */
  resumesFrom(variables: Variables): unknown;
  /** The operation that the subgraph is asked. */
  upstreamText: string;
  /** What the subgraph is asked for the events after a cursor. */
  upstream(variables: Variables, after: unknown): UpstreamQuery;
  /** The cursor of an event, which is taken out of its data; undefined where it has none. */
  takeCursor(data: Entity): unknown;
}

/** By the document; by the variant where one is run in place of what was asked for. */
const plans = new WeakMap<object, LivePlan>();

/** The plan of a subscription, made once for each document that is kept. */
export function livePlanOf(
  operation: ReadyOperation & { live: LiveOperation },
  request: OperationRequest,
  supergraph: LoadedSupergraph,
): LivePlan {
  const { variant, live } = operation;
  const kept = variant ?? operation.document;
  const known = plans.get(kept);
  if (known) return known;
  const plan = createPlan(live.primary, variant?.request ?? request, supergraph);
  if (variant) {
    // What is left is what others may ask for and get another answer to; and what was taken out may ask for variables.
    plan.identity += `\n${variant.key}`;
    plan.variablesText = createPlan(live.primary, request, supergraph).variablesText;
  }
  plans.set(kept, plan);
  return plan;
}

function createPlan(primary: FetchNode, request: OperationRequest, supergraph: LoadedSupergraph): LivePlan {
  const upstream = rootOf(parse(primary.operation, { noLocation: true }));
  const field = upstream.field.name.value;
  const rule = supergraph.live.resumable.get(field);
  const asked = partsOf(parse(request.query, { noLocation: true }), request.operationName);
  const { identity, variables: counted } = identify(asked, rule?.argument);
  return {
    subgraph: primary.serviceName,
    identity,
    variablesText: (variables) =>
      canonical(Object.fromEntries(counted.map((name) => [name, variables[name]]))),
    isResumable: rule !== undefined,
    isShared: rule !== undefined && isShared(asked, supergraph),
    ...(rule ? resuming(primary, upstream, rule) : asItIs(primary)),
  };
}

type Upstream = Pick<LivePlan, 'resumesFrom' | 'upstreamText' | 'upstream' | 'takeCursor'>;

function asItIs(primary: FetchNode): Upstream {
  const query = queryOf(primary, primary.operation, primary.variableUsages ?? []);
  return {
    resumesFrom: () => undefined,
    upstreamText: primary.operation,
    upstream: query,
    takeCursor: () => undefined,
  };
}

/** The subgraph is asked for each event's cursor too, and told where to resume by a variable of ours. */
function resuming(primary: FetchNode, { operation, field, document }: Root, rule: Resumable): Upstream {
  const after = unused('after', primary.operation);
  const alias = unused('cursor', primary.operation);
  const responseName = (field.alias ?? field.name).value;
  const given = field.arguments?.find(({ name }) => name.value === rule.argument)?.value;
  const resumed: FieldNode = {
    ...field,
    arguments: [
      ...(field.arguments ?? []).filter(({ name }) => name.value !== rule.argument),
      { kind: Kind.ARGUMENT, name: nameNode(rule.argument), value: variableNode(after) },
    ],
    selectionSet: {
      kind: Kind.SELECTION_SET,
      selections: [
        ...(field.selectionSet?.selections ?? []),
        { kind: Kind.FIELD, alias: nameNode(alias), name: nameNode(rule.cursor) },
      ],
    },
  };
  const others = document.definitions.filter((definition) => definition !== operation);
  const selections = operation.selectionSet.selections.map((node) => (node === field ? resumed : node));
  const selectionSet: SelectionSetNode = { kind: Kind.SELECTION_SET, selections };
  const used = variablesIn([selectionSet, ...others]);
  const rewritten: OperationDefinitionNode = {
    ...operation,
    selectionSet,
    variableDefinitions: [
      ...(operation.variableDefinitions ?? []).filter(({ variable }) => used.has(variable.name.value)),
      {
        kind: Kind.VARIABLE_DEFINITION,
        variable: variableNode(after),
        type: parseType(rule.argumentType, { noLocation: true }),
      },
    ],
  };
  const text = print({ kind: Kind.DOCUMENT, definitions: [rewritten, ...others] });
  const query = queryOf(
    primary,
    text,
    (primary.variableUsages ?? []).filter((name) => used.has(name)),
  );
  return {
    upstreamText: text,
    resumesFrom: (variables) => given && (valueIn(given, variables) ?? undefined),
    upstream(variables, position) {
      const asked = query(variables);
      if (position !== undefined) asked.variables[after] = position;
      return asked;
    },
    takeCursor(data) {
      const event = data[responseName];
      if (typeof event !== 'object' || event === null) return undefined;
      const cursor = (event as Entity)[alias];
      delete (event as Entity)[alias];
      return cursor ?? undefined;
    },
  };
}

const queryOf =
  ({ operationName }: FetchNode, query: string, names: readonly string[]) =>
  (variables: Variables): UpstreamQuery => ({
    query,
    ...(operationName && { operationName }),
    variables: Object.fromEntries(
      names.flatMap((name) => (variables[name] === undefined ? [] : [[name, variables[name]]])),
    ),
  });

/** A name that stands nowhere in a text. */
function unused(wish: string, text: string): string {
  let name = `${wish}_`;
  while (text.includes(name)) name += '_';
  return name;
}

const nameNode = (value: string) => ({ kind: Kind.NAME as const, value });
const variableNode = (name: string) => ({ kind: Kind.VARIABLE as const, name: nameNode(name) });
const valueIn = (node: ValueNode, variables: Variables): unknown =>
  valueFromASTUntyped(node, variables as Record<string, unknown>);

interface Root {
  document: DocumentNode;
  operation: OperationDefinitionNode;
  field: FieldNode;
}

/** The one field of a subscription as the planner writes it. */
function rootOf(document: DocumentNode): Root {
  const operation = getOperationAST(document) as OperationDefinitionNode;
  const field = operation.selectionSet.selections.find((node) => node.kind === Kind.FIELD);
  if (!field) throw new Error('a subscription was planned without its field');
  return { document, operation, field };
}

interface Asked {
  operation: OperationDefinitionNode;
  fragments: ReadonlyMap<string, FragmentDefinitionNode>;
}

/** The operation that a client asks for, with the fragments that it uses. */
function partsOf(document: DocumentNode, operationName: string | null | undefined): Asked {
  const operation = getOperationAST(document, operationName) as OperationDefinitionNode;
  const all = new Map(
    document.definitions.flatMap((node) =>
      node.kind === Kind.FRAGMENT_DEFINITION ? [[node.name.value, node] as const] : [],
    ),
  );
  const fragments = new Map<string, FragmentDefinitionNode>();
  const collect = (node: OperationDefinitionNode | FragmentDefinitionNode): void => {
    visit(node, {
      FragmentSpread({ name }) {
        const fragment = all.get(name.value);
        if (!fragment || fragments.has(name.value)) return;
        fragments.set(name.value, fragment);
        collect(fragment);
      },
    });
  };
  collect(operation);
  return { operation, fragments };
}

function identify({ operation, fragments }: Asked, argument: string | undefined) {
  const { name: _name, variableDefinitions = [], ...unnamed } = operation;
  const roots = argument === undefined ? new Set<FieldNode>() : rootFields(operation.selectionSet, fragments);
  const withoutArgument = (node: FieldNode): FieldNode =>
    roots.has(node)
      ? { ...node, arguments: (node.arguments ?? []).filter(({ name }) => name.value !== argument) }
      : node;
  const parts = [unnamed, ...fragments.values()].map((node) => visit(node, { Field: withoutArgument }));
  const used = variablesIn(parts);
  const definitions = variableDefinitions.filter(({ variable }) => used.has(variable.name.value));
  const [first, ...others] = parts as [OperationDefinitionNode, ...FragmentDefinitionNode[]];
  return {
    identity: print({
      kind: Kind.DOCUMENT,
      definitions: [{ ...first, variableDefinitions: definitions }, ...others],
    }),
    variables: definitions.map(({ variable }) => variable.name.value),
  };
}

/** The places at which a client's operation selects its one field. */
function rootFields(
  { selections }: SelectionSetNode,
  fragments: Asked['fragments'],
  found = new Set<FieldNode>(),
): Set<FieldNode> {
  for (const node of selections) {
    if (node.kind === Kind.FIELD) found.add(node);
    else {
      const inner = node.kind === Kind.INLINE_FRAGMENT ? node : fragments.get(node.name.value);
      if (inner) rootFields(inner.selectionSet, fragments, found);
    }
  }
  return found;
}

/** The names of the variables that are used, not only defined. */
function variablesIn(parts: readonly ASTNode[]): Set<string> {
  const names = new Set<string>();
  for (const part of parts)
    visit(part, {
      VariableDefinition: () => false,
      Variable: ({ name }) => void names.add(name.value),
    });
  return names;
}

function isShared({ operation, fragments }: Asked, { clientSchema, live }: LoadedSupergraph): boolean {
  let all = true;
  const types = new TypeInfo(clientSchema);
  const visitor = visitWithTypeInfo(types, {
    Field({ name }) {
      const parent = types.getParentType();
      if (name.value !== '__typename' && !(parent && live.isShared(parent.name, name.value))) all = false;
    },
  });
  visit({ kind: Kind.DOCUMENT, definitions: [operation, ...fragments.values()] }, visitor);
  return all;
}

/** JSON whose objects have their fields in the order of their names. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
