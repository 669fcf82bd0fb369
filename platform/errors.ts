import { GraphQLError } from 'graphql';

/** The codes a client can meet in `extensions.code`; what each means stands in docs/errors.md. */
export const errorCodes = [
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'BAD_USER_INPUT',
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'NOT_FOUND',
  'CONFLICT',
  'PRICE_CHANGED',
  'IDEMPOTENCY_CONFLICT',
  'INVALID_TRANSITION',
  'RATE_LIMITED',
  'QUERY_TOO_COMPLEX',
  'SERVICE_UNAVAILABLE',
  'INTERNAL_SERVER_ERROR',
] as const;
export type ErrorCode = (typeof errorCodes)[number];

/** A refusal as a value: what the domain answers instead of throwing. `field` is the path of the input at fault. */
export interface Refusal {
  ok: false;
  code: ErrorCode;
  message: string;
  field?: string;
  /** What else the error tells, as `http`. */
  extensions?: Record<string, unknown>;
}

/** A domain decision: the value, or why not. */
export type Result<T> = { ok: true; value: T } | Refusal;

export const ok = <T>(value: T): Result<T> => ({ ok: true, value });

export const refuse = (code: ErrorCode, message: string, field?: string): Refusal =>
  field === undefined ? { ok: false, code, message } : { ok: false, code, message, field };

/** An error meant for the client: its message is shown as it is. Everything else is hidden behind an error id. */
export function problem(
  code: ErrorCode,
  message: string,
  extensions: Record<string, unknown> = {},
): GraphQLError {
  return new GraphQLError(message, { extensions: { code, ...extensions } });
}

export const badInput = (message: string, field: string): GraphQLError =>
  problem('BAD_USER_INPUT', message, { field });

/** Turns a domain result into its value, or throws it as the GraphQL error it stands for. */
export function unwrap<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  const { code, message, field, extensions } = result;
  throw problem(code, message, { ...extensions, ...(field !== undefined && { field }) });
}

/** Thrown inside a transaction to roll it back with a refusal; `refusable` makes it a value again. */
class Refused extends Error {
  readonly refusal: Refusal;
  constructor(refusal: Refusal) {
    super(refusal.message);
    this.refusal = refusal;
  }
}

/** The value of a result, inside `refusable`; a refusal ends the work and undoes its transaction. */
export function must<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  throw new Refused(result);
}

/** Runs work that may refuse with `must`. */
export async function refusable<T>(work: () => Promise<T>): Promise<Result<T>> {
  try {
    return ok(await work());
  } catch (error) {
    if (error instanceof Refused) return error.refusal;
    throw error;
  }
}
