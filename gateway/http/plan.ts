import { serializeQueryPlan } from '@apollo/query-planner';
import type { Principal } from '../../platform/auth/principal.js';
import type { Engine, EngineRequest } from '../execute/engine.js';

/** The plan of an operation that has been run, as text; null where it needs no fetch. */
export function planOf(engine: Engine, request: EngineRequest, principal: Principal | null): string | null {
  const operation = engine.read(request, principal);
  if (!('planFor' in operation) || operation.variableErrors(request.variables).length > 0) return null;
  const plan = operation.planFor(request.variables);
  return plan.node ? serializeQueryPlan(plan) : null;
}
