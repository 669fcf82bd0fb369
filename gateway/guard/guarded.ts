import { GraphQLError, type GraphQLFormattedError, getOperationAST } from 'graphql';
import { LRUCache } from 'lru-cache';
import type { Principal } from '../../platform/auth/principal.js';
import { problem } from '../../platform/errors.js';
import {
  nestedTooDeep,
  noSuchOperation,
  parseDocument,
  validationErrors,
  variableErrors,
} from '../../platform/graphql/operation.js';
import { metrics } from '../../platform/metrics.js';
import type { GatewayContext } from '../context.js';
import type { Engine, EngineRequest, OperationRequest, Outcome } from '../execute/engine.js';
import { requestKey } from '../execute/request-key.js';
import { operationOf } from '../execute/selections.js';
import type { LoadedSupergraph } from '../supergraph.js';
import { compileCost } from './cost/estimate.js';
import { refuseExpansion } from './expansion.js';
import { refuseLiterals } from './literals.js';
import { refuseNumbersOf } from './numbers.js';
import { lackOf, type Protection, protectionOf, type Variant, variantFor } from './protection/protection.js';
import { isCircular, refuseStructure, type StructureLimits } from './structure.js';

export interface OperationLimits extends StructureLimits {
  /** What an operation may cost; 0 is no limit. */
  cost: number;
}

export const unlimited: OperationLimits = { depth: 0, aliases: 0, rootFields: 0, directives: 0, cost: 0 };

export interface GuardedEngine extends Engine {
  /** What an operation may cost and how much is allowed; undefined for one that cannot be read. */
  costOf(request: EngineRequest): { estimated: number; max: number } | undefined;
}

type Variables = Readonly<Record<string, unknown>>;

/** What there is to know of an operation before it is run. */
interface Guards {
  /** What it takes of memory, in about as many bytes. */
  weight: number;
  cost: (variables: Variables) => number;
  protection: Protection | undefined;
}

/** As many as the engine keeps. */
const mostOperations = 2_000;
const mostCharacters = 4_000_000;
const mostVariants = 1_000;
const mostVariantCharacters = 1_000_000;

/**
 * An engine that refuses operations that are too complex before they are planned, and fetches nothing that who asks
 * may not see: such fields are null, with an error each.
 */
export function guardEngine(
  engine: Engine,
  options: {
    graph: LoadedSupergraph;
    limits: OperationLimits;
    introspection: boolean;
    /** Makes an error as clients may see it, and counts it. */
    format: (formatted: GraphQLFormattedError, error: unknown) => GraphQLFormattedError;
  },
): GuardedEngine {
  const { graph, limits, introspection, format } = options;
  const known = new LRUCache<string, Guards>({
    max: mostOperations,
    maxSize: mostCharacters,
    sizeCalculation: ({ weight }, key) => key.length + weight,
  });
  const variants = new LRUCache<string, Variant>({
    max: mostVariants,
    maxSize: mostVariantCharacters,
    sizeCalculation: ({ request }, key) => key.length + request.query.length,
  });

  /** Undefined for what the engine refuses, and says why: what is no document, and what has fragments inside themselves. */
  function guardsOf(request: OperationRequest): Guards | GraphQLError | undefined {
    // Engines differ in what they make of an empty name.
    if (request.operationName === '') return noSuchOperation();
    const before = known.get(requestKey(request));
    if (before) return before;
    try {
      return analyse(request);
    } catch (error) {
      // Fragments inside fragments go far deeper than the text of any of them.
      if (error instanceof RangeError) return nestedTooDeep();
      throw error;
    }
  }

  function analyse(request: OperationRequest): Guards | GraphQLError | undefined {
    const document = parseDocument(request.query);
    // Engines have different words for what no parser has the stack for.
    if (!('kind' in document))
      return document.find(({ extensions }) => extensions['code'] === 'QUERY_TOO_COMPLEX');
    // No engine may run what has not been looked at.
    if (!getOperationAST(document, request.operationName)) return noSuchOperation();
    const parts = operationOf(document, request.operationName);
    if (isCircular(parts.fragments)) return undefined;
    const refusal =
      refuseStructure(parts, limits) ??
      refuseExpansion(parts.operation, parts.fragments) ??
      refuseLiterals(document) ??
      refuseNumbersOf(document);
    if (refusal) {
      metrics.operations.labels('refused').inc();
      return refusal;
    }
    const guards = {
      // What depends on a variable keeps a closure or two for each character of the text at most.
      weight: 64 + request.query.length,
      cost: compileCost(parts, graph.clientSchema, graph.costs),
      protection: protectionOf(parts, graph),
    };
    known.set(requestKey(request), guards);
    return guards;
  }

  function refuseCost({ cost }: Guards, variables: Variables): GraphQLError | undefined {
    if (limits.cost === 0) return undefined;
    const estimated = cost(variables);
    if (estimated <= limits.cost) return undefined;
    return problem(
      'QUERY_TOO_COMPLEX',
      `This may cost ${estimated}, and at most ${limits.cost} is allowed: ask for less at once, by \`first\` or fewer fields.`,
      { cost: { estimated, max: limits.cost } },
    );
  }

  /** What is run for who may not see all of an operation; undefined for who may, and where it is not valid. */
  function variantOf(
    request: OperationRequest,
    { protection }: Guards,
    principal: Principal | null,
  ): Variant | GraphQLError | undefined {
    const lack = protection && lackOf(protection, principal);
    if (!lack) return undefined;
    const key = `${lack}\n${requestKey(request)}`;
    const before = variants.get(key);
    if (before) return before;
    const document = parseDocument(request.query);
    if (!('kind' in document)) return undefined;
    if (validationErrors(graph.clientSchema, document, { introspection }).length > 0) return undefined;
    const variant = variantFor(operationOf(document, request.operationName), graph, principal, key);
    if (!(variant instanceof GraphQLError)) variants.set(key, variant);
    return variant;
  }

  const refused = async (error: GraphQLError): Promise<Outcome> => ({
    status: 400,
    errors: [format(error.toJSON(), error)],
  });

  /** Those of the whole operation: what is left of it may not have all of its variables. */
  const variableErrorsOf = ({ operation }: Variant, variables: Variables): readonly GraphQLError[] =>
    variableErrors(graph.clientSchema, operation, variables, { introspection });

  async function executeVariant(
    variant: Variant,
    request: EngineRequest,
    context: GatewayContext,
  ): Promise<Outcome> {
    const wrong = variableErrorsOf(variant, request.variables);
    if (wrong.length > 0) return { status: 400, errors: wrong.map((error) => format(error.toJSON(), error)) };
    const refusal = variant.refusal(request.variables);
    if (refusal.length > 0)
      return { status: 200, data: null, errors: refusal.map((error) => format(error, error)) };
    const outcome = await engine.execute({ ...request, ...variant.request }, context);
    if (outcome.data === undefined) return outcome;
    const { data, errors, denied } = variant.complete(outcome, request.variables);
    const all = [...errors, ...denied.map((error) => format(error, error))];
    return { status: outcome.status, data, ...(all.length > 0 && { errors: all }) };
  }

  return {
    ...engine,
    // No async function: most operations are the engine's alone, and each turn counts.
    execute(request, context) {
      const guards = guardsOf(request);
      if (!guards) return engine.execute(request, context);
      if (guards instanceof GraphQLError) return refused(guards);
      const tooCostly = refuseCost(guards, request.variables);
      if (tooCostly) return refused(tooCostly);
      const variant = variantOf(request, guards, context.principal);
      if (!variant) return engine.execute(request, context);
      return variant instanceof GraphQLError ? refused(variant) : executeVariant(variant, request, context);
    },
    read(request, principal) {
      const guards = guardsOf(request);
      if (!guards) return engine.read(request, principal);
      if (guards instanceof GraphQLError) return [guards];
      const variant = variantOf(request, guards, principal);
      if (variant instanceof GraphQLError) return [variant];
      const operation = engine.read(variant?.request ?? request, principal);
      if (!('document' in operation)) return operation;
      const { live } = operation;
      return {
        ...operation,
        variableErrors(variables) {
          const tooCostly = refuseCost(guards, variables);
          if (tooCostly) return [tooCostly];
          const wrong = variant ? variableErrorsOf(variant, variables) : [];
          return wrong.length > 0 ? wrong : operation.variableErrors(variables);
        },
        ...(variant &&
          live && {
            variant,
            live: {
              ...live,
              async complete(event, variables, context) {
                const outcome = await live.complete(event, variables, context);
                if (outcome.data === undefined) return outcome;
                const { data, errors, denied } = variant.complete(outcome, variables);
                return { data, errors: [...errors, ...denied] };
              },
            },
          }),
      };
    },
    costOf(request) {
      const guards = guardsOf(request);
      if (!guards || guards instanceof GraphQLError) return undefined;
      return { estimated: guards.cost(request.variables), max: limits.cost };
    },
    forget() {
      known.clear();
      variants.clear();
      engine.forget();
    },
  };
}
