import { serializeQueryPlan } from '@apollo/query-planner';
import type { Principal } from '../../platform/auth/principal.js';
import type { Engine, OperationRequest } from '../execute/engine.js';

/** The plan of an operation that has been run, as text; null where it needs no fetch. */
export function planOf(
  engine: Engine,
  request: OperationRequest,
  principal: Principal | null,
): string | null {
  const operation = engine.read(request, principal);
  if (!('plan' in operation) || !operation.plan.node) return null;
  return serializeQueryPlan(operation.plan);
}
