import type { GatewayContext } from './context.js';

/** A name is as long as its client likes. */
const mostCharacters = 100;

/** What the log says of an operation and its answer: nothing of its variables, its document or its token. */
export function requestLine(
  context: GatewayContext | undefined,
  errors: readonly unknown[] | undefined,
): Record<string, unknown> {
  const { operation, requestId, principal } = context ?? {};
  return {
    ...(requestId !== undefined && { requestId }),
    ...(principal && { user: principal.userId }),
    ...(operation && { kind: operation.kind }),
    ...(operation?.name !== undefined && { operation: operation.name.slice(0, mostCharacters) }),
    errors: errors?.length ?? 0,
  };
}
