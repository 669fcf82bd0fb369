import type { GraphQLError } from 'graphql';
import { LRUCache } from 'lru-cache';
import { readOperation } from '../../platform/graphql/operation.js';
import { metrics } from '../../platform/metrics.js';
import { recordErrors, type Tracing } from '../tracing.js';
import type { OperationRequest } from './engine.js';
import {
  type Combinations,
  type CompiledOperation,
  compileOperation,
  type OperationEnvironment,
  type Shapes,
} from './operation.js';
import { refusalBy } from './planning/planner.js';
import { requestKey } from './request-key.js';
import { weighAgain } from './variants.js';

/**
 * The most operations that are kept, and the most of their weight: each character of their documents and plans takes
 * some 100 bytes of memory, and each kind of object that data bring is weighed when it is compiled.
 */
const mostOperations = 2_000;
const mostWeight = 4_000_000;
/** The same of what is compiled for one combination of what `@skip` and `@include` say: response shapes, and operations. */
const mostVariants = { max: 2_000, maxSize: 2_000_000 };

export interface Operations {
  /** Reads, validates, plans and compiles an operation, or answers its errors with their codes; what was compiled is kept. */
  find(request: OperationRequest, tracing?: Tracing): CompiledOperation | readonly GraphQLError[];
  /** Keeps none of them any more. */
  forget(): void;
}

export function createOperations(options: Omit<OperationEnvironment, 'shapes' | 'combinations'>): Operations {
  const { graph, introspection } = options;
  const shapes: Shapes = new LRUCache(mostVariants);
  const combinations: Combinations = new LRUCache(mostVariants);
  const environment = { ...options, shapes, combinations };
  const kept = new LRUCache<string, CompiledOperation>({
    max: mostOperations,
    maxSize: mostWeight,
    sizeCalculation: ({ weight }, key) => key.length + weight(),
    dispose: () => metrics.operationsKept.dec(),
    onInsert: () => metrics.operationsKept.inc(),
  });
  const [hits, misses, refusals] = ['hit', 'miss', 'refused'].map((result) =>
    metrics.operations.labels(result),
  );

  let isForgotten = false;

  function prepare(request: OperationRequest, key: string): CompiledOperation | readonly GraphQLError[] {
    const read = readOperation(graph.clientSchema, request, { introspection });
    if (!('operation' in read)) return read;
    try {
      return compileOperation({ ...read, query: request.query }, environment, () => weighAgain(kept, key));
    } catch (error) {
      return [refusalBy(error)];
    }
  }

  function find(request: OperationRequest, tracing?: Tracing): CompiledOperation | readonly GraphQLError[] {
    const key = requestKey(request);
    const known = kept.get(key);
    if (known) {
      hits?.inc();
      return known;
    }
    const stop = metrics.preparing.startTimer();
    const span = tracing?.begin('gateway.prepare');
    const prepared = prepare(request, key);
    stop();
    const isCompiled = 'execute' in prepared;
    if (span && !isCompiled) recordErrors(span, prepared);
    span?.end();
    (isCompiled ? misses : refusals)?.inc();
    if (isCompiled && !isForgotten) kept.set(key, prepared);
    return prepared;
  }

  return {
    find,
    forget() {
      isForgotten = true;
      kept.clear();
      shapes.clear();
      combinations.clear();
    },
  };
}
