/** A connection, or what came over it, failed as HTTP. Errors of the socket itself are passed on as they are. */
export class HttpError extends Error {
  readonly code = 'HTTP_FAILED';
}
