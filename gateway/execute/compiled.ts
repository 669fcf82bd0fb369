import { randomUUID } from 'node:crypto';
import { type GraphQLError, type GraphQLFormattedError, OperationTypeNode } from 'graphql';
import { problem } from '../../platform/errors.js';
import { errorFormatter } from '../../platform/graphql/errors.js';
import type { Log } from '../../platform/log.js';
import type { LoadedSupergraph } from '../supergraph.js';
import { inSpan, operationAttributes } from '../tracing.js';
import type { Engine, Outcome } from './engine.js';
import type { Executed } from './operation.js';
import { createOperations } from './operations.js';
import { createPlanner } from './planning/planner.js';
import { subscriptionsElsewhere } from './refusals.js';
import type { SubgraphSource } from './source.js';

/** The engine of this project: plans of Apollo's planner, compiled once for each document. */
export function createCompiledEngine(options: {
  graph: LoadedSupergraph;
  sources: ReadonlyMap<string, SubgraphSource>;
  introspection: boolean;
  log: Log;
}): Engine {
  const { graph, sources, introspection, log } = options;
  const planner = createPlanner(graph.supergraph);
  const { find, forget } = createOperations({ graph, planner, sources, introspection });
  const format = errorFormatter('gateway', log, { suggestions: introspection });

  const refused = (errors: readonly GraphQLError[], status = errors.every(isCoded) ? 400 : 500): Outcome => ({
    status,
    errors: errors.map((error) => format(error.toJSON(), error)),
  });

  /** What was executed, with an error for each place whose value had to be left out. */
  function answer({ data, errors, wrong }: Executed): {
    data: Executed['data'];
    errors?: GraphQLFormattedError[];
  } {
    if (data !== null && errors.length === 0 && wrong.length === 0) return { data };
    const all = [...errors, ...wrong.map((place) => misfit(place, log))];
    if (data === null && all.length === 0) all.push(nothingLeft(log));
    return all.length > 0 ? { data, errors: all } : { data };
  }

  return {
    async execute(request, context) {
      const operation = find(request, context.tracing);
      if (!('execute' in operation)) return refused(operation);
      context.operation = operation;
      if (operation.kind === OperationTypeNode.SUBSCRIPTION) return refused([subscriptionsElsewhere()]);
      if (request.method === 'GET' && operation.kind === OperationTypeNode.MUTATION)
        return refused([problem('BAD_USER_INPUT', 'Mutations are sent by POST.')], 405);
      const variableErrors = operation.variableErrors(request.variables);
      if (variableErrors.length > 0) return refused(variableErrors);
      const attributes = () => operationAttributes(operation);
      const executed = await (context.tracing
        ? inSpan(context, 'gateway.execute', attributes, (inner) =>
            operation.execute(request.variables, inner),
          )
        : operation.execute(request.variables, context));
      const { data, errors } = answer(executed);
      return errors
        ? { status: 200, data, errors: errors.map((error) => format(error, error)) }
        : { status: 200, data };
    },
    read(request) {
      const operation = find(request);
      if (!('execute' in operation)) return operation;
      const { primary } = operation;
      return {
        ...operation,
        live: primary
          ? {
              primary,
              complete: async (event, variables, context) =>
                answer(await operation.execute(variables, context, event)),
            }
          : null,
      };
    },
    forget,
    close: async () => undefined,
  };
}

/** Whether an error was meant for clients; all else is a fault of ours. */
const isCoded = ({ extensions }: GraphQLError): boolean => extensions['code'] !== undefined;

/** The error of a value that does not fit its type: the subgraph broke its word, and the log has where. */
function misfit({ path, service }: Executed['wrong'][number], log: Log): GraphQLFormattedError {
  const errorId = randomUUID();
  log.error({ service: 'gateway', errorId, subgraph: service, path }, 'a value does not fit its type');
  const who = service === undefined ? 'A service' : `The ${service} service`;
  return {
    message: `${who} answered with something else than its schema says; the error id is ${errorId}.`,
    path,
    extensions: { code: 'SERVICE_UNAVAILABLE', errorId, ...(service !== undefined && { service }) },
  };
}

function nothingLeft(log: Log): GraphQLFormattedError {
  const errorId = randomUUID();
  log.error({ service: 'gateway', errorId }, 'values were missing, up to the root');
  return {
    message: `Something went wrong here; the error id is ${errorId}.`,
    extensions: { code: 'INTERNAL_SERVER_ERROR', errorId },
  };
}
