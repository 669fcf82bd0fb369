import type { GatewayContext } from './context.js';

/** A name is as long as its client likes. */
const mostCharacters = 100;

/** Adds to a line of the log what it says of an operation and its answer: nothing of its variables, its document or its token. */
export function describeRequest(
  line: Record<string, unknown>,
  context: GatewayContext | undefined,
  errors: number,
): void {
  line['requestId'] = context?.requestId;
  line['user'] = context?.principal?.userId;
  line['kind'] = context?.operation?.kind;
  line['operation'] = context?.operation?.name?.slice(0, mostCharacters);
  line['errors'] = errors;
}
