import { buildSubgraphSchema } from '@apollo/subgraph';
import {
  type DocumentNode,
  type ExecutionResult,
  execute,
  type GraphQLSchema,
  parse,
  validate,
} from 'graphql';
import type { Root } from './data/roots.js';
import type { World } from './data/rows.js';
import { applyDamage, type Damage, type FaultPlan, withFaults } from './faults.js';
import { referenceResolvers } from './references.js';

/** What a resolver gets: the faults of this request, and what mutations of it have run so far. */
export interface BazaarContext {
  faults: FaultPlan;
  /** Shared by all subgraphs. */
  entries: string[];
  /** Done to the answer once it is there. */
  damage: Damage[];
}

/** A fetch as it comes over HTTP. */
export interface Fetch {
  query: string;
  variables?: Record<string, unknown> | null;
  operationName?: string | null;
}

export type Subgraph = (fetch: Fetch, context: Omit<BazaarContext, 'damage'>) => Promise<ExecutionResult>;

/** A subgraph of the bazaar that executes fetches. Documents are validated: a gateway must send none that is wrong. */
export function createSubgraph(
  name: string,
  sdl: string,
  roots: { Query: Record<string, Root>; Mutation?: Record<string, Root> },
  world: World,
): Subgraph {
  const typeDefs = parse(sdl);
  const schema = buildSubgraphSchema([
    { typeDefs, resolvers: { ...referenceResolvers(typeDefs, name, world), ...rootResolvers(name, roots) } },
  ]);
  withFaults(schema, name);
  const documents = new Map<string, DocumentNode | ExecutionResult>();

  return async ({ query, variables, operationName }, given) => {
    let document = documents.get(query);
    if (!document) {
      document = readDocument(schema, query);
      documents.set(query, document);
    }
    if (!('kind' in document)) return document;
    const context: BazaarContext = { ...given, damage: [] };
    const result = await execute({
      schema,
      document,
      rootValue: { _key: 'root' },
      contextValue: context,
      ...(variables && { variableValues: variables }),
      ...(operationName && { operationName }),
    });
    const { damage, faults } = context;
    return applyDamage(result, faults.sparesNames ? damage.filter(({ typename }) => !typename) : damage);
  };
}

function readDocument(schema: GraphQLSchema, query: string): DocumentNode | ExecutionResult {
  const document = parse(query);
  const errors = validate(schema, document);
  return errors.length > 0 ? { errors } : document;
}

type Resolve = (source: unknown, args: Record<string, unknown>, context: BazaarContext) => unknown;

/** Root fields, and in each subgraph with mutations one `touch` that answers what has run before it. */
function rootResolvers(
  subgraph: string,
  { Query, Mutation }: { Query: Record<string, Root>; Mutation?: Record<string, Root> },
): Record<string, Record<string, Resolve>> {
  const fields = (roots: Record<string, Root>, logs: boolean) =>
    Object.fromEntries(
      Object.entries(roots).map(([name, root]): [string, Resolve] => [
        name,
        (_source, args, { entries }) => {
          if (logs) entries.push(`${subgraph}.${name}`);
          return root(args);
        },
      ]),
    );
  if (!Mutation) return { Query: fields(Query, false) };
  const touch: Resolve = (_source, { tag }, { entries }) => {
    entries.push(`${subgraph}:${tag}`);
    return { _key: `log.${tag}`, entries: [...entries] };
  };
  return {
    Query: fields(Query, false),
    Mutation: {
      ...fields(Mutation, true),
      [`touch${subgraph[0]?.toUpperCase()}${subgraph.slice(1)}`]: touch,
    },
  };
}
