import { DEFAULT_SUPPORTED_SUPERGRAPH_FEATURES, type Schema, Supergraph } from '@apollo/federation-internals';
import { type DocumentNode, type GraphQLSchema, Kind, parse } from 'graphql';
import { protectingFeatures } from '../platform/graphql/protecting.js';
import { withDefaults } from './execute/planning/defaults.js';
import { type Needs, needsOf } from './execute/planning/needs.js';
import { type CostRules, costRulesOf } from './guard/cost/rules.js';
import { type ProtectionRules, protectionRulesOf } from './guard/protection/rules.js';
import { type LiveRules, liveRulesOf } from './live/directives.js';

export interface SubgraphAddress {
  name: string;
  /** Its GraphQL endpoint, http:// or https://. */
  url: string;
}

/** A supergraph SDL, read once into the forms that executing and planning take. */
export interface LoadedSupergraph {
  sdl: string;
  supergraph: Supergraph;
  subgraphs: readonly SubgraphAddress[];
  /** What clients see: for planning, and for validating their documents. */
  apiSchema: Schema;
  clientSchema: GraphQLSchema;
  /** Everything, federation's own directives included. */
  supergraphSchema: GraphQLSchema;
  needs: Needs;
  /** What may be shared and resumed of its subscriptions. */
  live: LiveRules;
  /** Who may see what; undefined where all may see all. */
  protection: ProtectionRules | undefined;
  costs: CostRules;
}

/**
 * Reads a supergraph SDL. `urls` replaces addresses that stand in it, by subgraph name.
 * @throws Error, its message one line: where the SDL is no supergraph, where it asks for what is not done here
 *   (protection most of all), where `urls` names a subgraph that it does not have, or where a subgraph has no
 *   address in either
 */
export function loadSupergraph(sdl: string, urls: Record<string, string> = {}): LoadedSupergraph {
  const written = readable(() => parse(sdl));
  const features = featuresOf(written);
  refuseUnknownProtection(features);
  refuseContext(features);
  const build = (given: string | DocumentNode) => Supergraph.build(given, { supportedFeatures });
  const asWritten = readable(() => build(sdl));
  const mayConflict = needsOf(written).requirements.size > 0;
  const document = mayConflict ? withDefaults(written, asWritten.schema.toGraphQLJSSchema()) : written;
  const supergraph = mayConflict ? build(document) : asWritten;
  const subgraphs = supergraph.subgraphsMetadata().map(({ name, url }) => ({ name, url: urls[name] ?? url }));
  const unknown = Object.keys(urls).find((name) => !subgraphs.some((subgraph) => subgraph.name === name));
  if (unknown !== undefined)
    throw new Error(`the supergraph has no subgraph '${unknown}', for which an address is given`);
  for (const { name, url } of subgraphs) {
    if (!/^https?:$/.test(URL.parse(url)?.protocol ?? ''))
      throw new Error(`the subgraph '${name}' has no http:// address`);
  }
  const apiSchema = supergraph.apiSchema();
  return {
    sdl,
    supergraph,
    subgraphs,
    apiSchema,
    clientSchema: apiSchema.toGraphQLJSSchema(),
    supergraphSchema: supergraph.schema.toGraphQLJSSchema(),
    needs: needsOf(document),
    live: liveRulesOf(supergraph),
    protection: protectionRulesOf(supergraph.schema),
    costs: costRulesOf(supergraph.schema),
  };
}

/** The reader's errors, which may be many lines with excerpts, as one that says what is wrong. */
function readable<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    const unknown = [...text.matchAll(/feature (\S+) is for: (SECURITY|EXECUTION) but is unsupported/g)];
    if (unknown.length > 0) {
      const features = unknown.map(([, url, purpose]) => `${url} (for: ${purpose})`).join(', ');
      throw new Error(`the supergraph needs ${features}, which this gateway does not know: it is not served`);
    }
    const [reason = ''] = text.split('\n\nGraphQL request');
    throw new Error(`the supergraph cannot be read: ${reason.replaceAll(/\s+/g, ' ').trim()}`);
  }
}

const supportedFeatures = new Set([...DEFAULT_SUPPORTED_SUPERGRAPH_FEATURES, ...protectingFeatures]);

/** The addresses of the features that a supergraph asks for, among other texts of its schema's directives. */
const featuresOf = (supergraph: DocumentNode): string[] =>
  supergraph.definitions
    .flatMap((node) =>
      node.kind === Kind.SCHEMA_DEFINITION || node.kind === Kind.SCHEMA_EXTENSION
        ? (node.directives ?? [])
        : [],
    )
    .flatMap(({ arguments: given = [] }) => given)
    .flatMap(({ value }) => (value.kind === Kind.STRING ? value.value : []));

/**
 * A gateway that does not know such a feature would serve what it protects.
 * @throws Error naming what the supergraph asks for and would not get, whatever it says the feature is for
 */
function refuseUnknownProtection(features: readonly string[]): void {
  const asked = features
    .filter((url) => /^https:\/\/specs\.apollo\.dev\/(authenticated|requiresScopes|policy)\/v/.test(url))
    .filter((url) => !protectingFeatures.includes(url));
  if (asked.length === 0) return;
  throw new Error(
    `the supergraph protects fields by ${asked.join(', ')}, which this gateway does not enforce: it is not served`,
  );
}

/**
 * The planner knows arguments from the context, and neither executor does: fields would do without them, silently.
 * @throws Error where a supergraph has some, whatever it says they are for
 */
function refuseContext(features: readonly string[]): void {
  const asked = features.find((url) => url.startsWith('https://specs.apollo.dev/context/v'));
  if (asked === undefined) return;
  throw new Error(
    `the supergraph gives fields arguments from their context by ${asked} (@fromContext), which this gateway does not do: it is not served`,
  );
}
