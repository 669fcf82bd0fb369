import type { FastifyReply, FastifyRequest, RouteHandlerMethod } from 'fastify';
import { OperationTypeNode } from 'graphql';
import type { Principal } from '../auth/principal.js';
import type { TokenVerifier } from '../auth/tokens.js';
import { isPromise } from '../graphql/compiled/run.js';
import type { Documents } from '../graphql/documents.js';
import { type Answer, answerOf, answerOfError, type FormatError } from './answer.js';
import { clientAddress } from './client-address.js';
import type { ClientAddress } from './define.js';
import { mediaType } from './media-type.js';
import { badRequest, readRequest, refuseForgery, subscriptionsElsewhere } from './request.js';

/**
 * Answers GraphQL over HTTP by compiled operations. Nothing is waited for that is there: a request whose token and
 * document are known, and whose resolvers are synchronous, is answered in the turn in which it came.
 */
export function compiledHandler(options: {
  documents: Documents;
  verifier: TokenVerifier;
  context: (principal: Principal | null, clientAddress: ClientAddress) => unknown;
  format: FormatError;
}): RouteHandlerMethod {
  const { documents, verifier, context, format } = options;

  function execute(request: FastifyRequest, principal: Principal | null): Answer | PromiseLike<Answer> {
    const contextValue = context(principal, () => clientAddress(request));
    const { query, operationName, variables, readOnly } = readRequest(request);
    if (mediaType(request.headers.accept) === undefined)
      throw badRequest('Accept application/json or application/graphql-response+json.', 406);
    const found = documents.find(query, operationName);
    if (!('execute' in found)) return answerOf({ errors: found }, format);
    if (readOnly && found.type !== undefined && found.type !== OperationTypeNode.QUERY)
      throw badRequest(`A ${found.type} is not for GET: send it by POST.`, 405);
    if (found.type === OperationTypeNode.SUBSCRIPTION) throw subscriptionsElsewhere();
    const result = found.execute({ contextValue, variables });
    return isPromise(result) ? result.then((done) => answerOf(done, format)) : answerOf(result, format);
  }

  return (request, reply) => {
    const { accept, authorization } = request.headers;
    const answer = (made: Answer) => send(reply, made, mediaType(accept));
    const fail = (error: unknown) => {
      try {
        answer(answerOfError(error, format));
      } catch (unwritable) {
        answer(answerOfError(unwritable, format));
      }
    };
    try {
      refuseForgery(request.headers);
      const known = verifier.recall?.(authorization);
      const made =
        known === undefined
          ? verifier.verify(authorization).then((principal) => execute(request, principal))
          : execute(request, known);
      if (isPromise(made)) made.then(answer).then(undefined, fail);
      else answer(made);
    } catch (error) {
      fail(error);
    }
  };
}

/** @throws TypeError where a scalar gave something that JSON cannot write; nothing is sent then */
function send(reply: FastifyReply, { status, body }: Answer, type = 'application/json; charset=utf-8'): void {
  const text = JSON.stringify(body);
  if (status === 405) void reply.header('allow', reply.request.method === 'GET' ? 'POST' : 'GET, POST');
  void reply.code(status).header('content-type', type).header('cache-control', 'no-store').send(text);
}
