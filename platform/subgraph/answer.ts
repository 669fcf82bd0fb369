import { type ExecutionResult, GraphQLError, type GraphQLFormattedError } from 'graphql';

/** What a GraphQL request is answered with over HTTP. */
export interface Answer {
  status: number;
  body: { errors?: readonly GraphQLFormattedError[]; data?: unknown };
}

export type FormatError = (formatted: GraphQLFormattedError, error: unknown) => GraphQLFormattedError;

/**
 * The answer to a request that was executed, or refused for its document or variables: then there is no data.
 * Its status is what the last of the errors with one says in `extensions.http`, else 200, or 400 without data.
 */
export function answerOf({ data, errors }: ExecutionResult, format: FormatError): Answer {
  if (!errors) return { status: 200, body: { data } };
  // graphql tells of variables that do not fit without a code.
  const told = tell(errors, data === undefined ? 'BAD_USER_INPUT' : 'INTERNAL_SERVER_ERROR', format);
  const status = told.status ?? (data === undefined ? 400 : 200);
  return { status, body: { errors: told.errors, ...(data !== undefined && { data }) } };
}

/** The answer to a request that could not be executed: 500 unless the error says otherwise. */
export function answerOfError(error: unknown, format: FormatError): Answer {
  const shown =
    error instanceof GraphQLError
      ? error
      : new GraphQLError(String(error), { originalError: error instanceof Error ? error : undefined });
  const { status = 500, errors } = tell([shown], 'INTERNAL_SERVER_ERROR', format);
  return { status, body: { errors } };
}

function tell(errors: readonly GraphQLError[], initialCode: string, format: FormatError) {
  let status: number | undefined;
  const told = errors.map((error) => {
    const { http, code = initialCode, ...extensions } = error.extensions;
    status = statusOf(http) ?? status;
    return format({ ...error.toJSON(), extensions: { ...extensions, code } }, error);
  });
  return { status, errors: told };
}

function statusOf(http: unknown): number | undefined {
  const status = typeof http === 'object' && http !== null && 'status' in http ? http.status : undefined;
  return typeof status === 'number' ? status : undefined;
}
