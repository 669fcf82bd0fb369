import { randomUUID } from 'node:crypto';
import { problem } from '../../../platform/errors.js';
import type { Log } from '../../../platform/log.js';

/** A GraphQL response, its errors formatted or not. */
interface Result {
  data?: unknown;
  errors?: unknown;
  extensions?: Record<string, unknown> | undefined;
}

/**
 * Takes out `extensions.valueCompletion`, in which ApolloGateway tells where it put null for a value that no
 * subgraph gave, or gave wrong. That is normal for an entity that is gone, and an internal matter otherwise;
 * the log has it. Where nothing at all is left of the answer, the client gets an error instead.
 */
export function withoutValueCompletion<R extends Result>(result: R, log: Log): R {
  const { valueCompletion, ...extensions } = result.extensions ?? {};
  if (valueCompletion === undefined) return result;
  const { extensions: _all, ...rest } = result;
  const kept = (Object.keys(extensions).length > 0 ? { ...rest, extensions } : rest) as R;
  if (kept.data !== null) {
    log.debug({ service: 'gateway', valueCompletion }, 'values were missing');
    return kept;
  }
  const errorId = randomUUID();
  log.error({ service: 'gateway', errorId, valueCompletion }, 'values were missing, up to the root');
  const message = `Something went wrong here; the error id is ${errorId}.`;
  return { ...kept, errors: [problem('INTERNAL_SERVER_ERROR', message, { errorId })] };
}
