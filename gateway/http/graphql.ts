import type { Span } from '@opentelemetry/api';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { GraphQLError, OperationTypeNode } from 'graphql';
import { authenticated, isStaff, type Principal } from '../../platform/auth/principal.js';
import type { TokenVerifier } from '../../platform/auth/tokens.js';
import { Cancellation } from '../../platform/calls/cancellation.js';
import { type ClientAddress, networkOf } from '../../platform/client-address.js';
import { problem } from '../../platform/errors.js';
import { errorFormatter } from '../../platform/graphql/errors.js';
import type { Log } from '../../platform/log.js';
import { endOfTurn } from '../../platform/turn.js';
import { contextOf, type GatewayContext, requestContext } from '../context.js';
import type { EngineRequest, Outcome, ReadyOperation } from '../execute/engine.js';
import { jsonOf } from '../execute/json.js';
import type { Graph } from '../graph.js';
import { asksForPage, sendGraphiQL } from '../graphiql/page.js';
import { refuseNesting } from '../guard/nesting.js';
import { refuseNumbers } from '../guard/numbers.js';
import { type RateLimit, tooOften, waitOf } from '../guard/rate-limit.js';
import { describeRequest } from '../request-line.js';
import {
  operationAttributes,
  recordErrors,
  requestIdAttribute,
  type Tracing,
  tracingOf,
} from '../tracing.js';
import { type Answering, answeringOf, streamFormatOf } from './media.js';
import { addressParameters, bodyParameters, type Parameters } from './parameters.js';
import { createPersistedQueries, type Trusted } from './persisted.js';
import { planOf } from './plan.js';
import type { StreamFormat } from './stream-formats.js';
import type { HttpStreams } from './streams.js';

export interface GraphQLOverHttp {
  verifier: TokenVerifier;
  log: Log;
  /** How long after it came a request is answered with what there is. */
  answerWithinMs: number;
  /** Whether all may see query plans and names of the schema, as in development. */
  isOpen: boolean;
  /** The present supergraph. */
  graph: () => Graph;
  streams: HttpStreams;
  trusted?: Trusted | undefined;
  rate: RateLimit;
  clientAddress: ClientAddress;
}

/**
 * Serves GraphQL over HTTP at /graphql, and GraphiQL to browsers; subscriptions to those who accept a stream. Bodies
 * are JSON and nothing else, so that no page of somebody else can send one without being allowed to; a GET changes
 * nothing.
 */
export function serveGraphQL(app: FastifyInstance, options: GraphQLOverHttp): void {
  const { verifier, log, isOpen, rate, clientAddress } = options;
  const persisted = createPersistedQueries(options.trusted);
  const format = errorFormatter('gateway', log, { suggestions: isOpen });

  function answer(asked: Asked): Promise<Sent | undefined> {
    const trace = tracingOf(asked.request.headers);
    if (!trace) return run(asked);
    return trace.span('gateway.request', {}, async (tracing, span) => {
      const sent = await run(asked, { tracing, span });
      recordErrors(span, sent?.errors);
      return sent;
    });
  }

  /** Undefined where a stream answers it. */
  async function run(asked: Asked, traced?: Traced): Promise<Sent | undefined> {
    const { request } = asked;
    const method = request.method === 'POST' ? 'POST' : 'GET';
    const parameters = method === 'POST' ? bodyParameters(bodyOf(request)) : addressParameters(request.url);
    const { operationName, variables } = parameters;
    const wrong = refuseNesting(variables) ?? refuseNumbers(variables);
    if (wrong) throw wrong;
    const deadline = performance.now() + options.answerWithinMs;
    const { authorization } = request.headers;
    const known = verifier.recall?.(authorization);
    // A token that has not been seen yet costs work, whoever made it up.
    const byAddress = known ? 0 : rate.take(networkOf(clientAddress(request.raw)));
    refuseHaste(typeof byAddress === 'number' ? byAddress : await byAddress);
    const principal = known === undefined ? await verifier.verify(authorization) : known;
    const byUser = principal ? rate.take(principal.userId) : 0;
    refuseHaste(typeof byUser === 'number' ? byUser : await byUser);
    const context = requestContext(request, principal, deadline, traced?.tracing);
    asked.context = context;
    context.cancellation = asked.cancellation;
    context.clientAddress = () => clientAddress(request.raw);
    const showsPlan = wantsPlan(parameters, context.principal, isOpen);
    const showsCost = parameters.extensions['cost'] === true;
    const operation = { query: persisted.documentOf(parameters), operationName, variables, method } as const;
    const graph = options.graph();
    const describe = () =>
      traced?.span.setAttributes({
        ...operationAttributes(context.operation),
        [requestIdAttribute]: context.requestId,
      });
    const subscription = asked.format && subscriptionOf(operation, graph, context.principal);
    if (asked.format && subscription) {
      // All of it would keep its supergraph for as long as the stream lives.
      const { kind, name } = subscription;
      context.operation = { kind, name };
      describe();
      const refused = subscription.variableErrors(variables);
      if (refused.length > 0)
        return { status: 400, errors: refused.map((error) => format(error.toJSON(), error)) };
      stream(asked, asked.format, operation, context);
      return undefined;
    }
    graph.enter();
    try {
      const outcome = await graph.engine.execute(operation, context);
      describe();
      if ((!showsPlan && !showsCost) || outcome.data === undefined) return outcome;
      const { engine } = graph;
      const extensions = {
        ...(showsPlan && { queryPlan: planOf(engine, operation, principal) }),
        ...(showsCost && { cost: engine.costOf(operation) }),
      };
      return { ...outcome, extensions };
    } finally {
      graph.leave();
    }
  }

  /** @throws SERVICE_UNAVAILABLE, RATE_LIMITED where there is no room for it */
  function stream(
    { request, reply }: Asked,
    format: StreamFormat,
    operation: EngineRequest,
    context: GatewayContext,
  ): void {
    request.logged = (line) => describeRequest(line, context, 0);
    // It outlives the request, its deadline and its trace: events are traces of their own.
    const { principal, authorization, requestId } = context;
    const own = { ...contextOf(principal, authorization, requestId), operation: context.operation };
    const after = format.resumeHeader && request.headers[format.resumeHeader];
    const resumed = typeof after === 'string' && after !== '' ? { after } : {};
    options.streams.begin({ ...operation, context: own, ...resumed }, format, reply);
  }

  function refusal(error: unknown): Sent {
    const known = error instanceof GraphQLError ? error : undefined;
    const http = known?.extensions['http'] as { status?: number; retryAfterS?: number } | undefined;
    const told = known ?? new GraphQLError('request failed', { originalError: error as Error });
    return {
      status: http?.status ?? statusOf(known),
      isRequestError: true,
      retryAfterS: http?.retryAfterS,
      errors: [format(told.toJSON(), told)],
    };
  }

  void app.register(async (inner) => {
    inner.removeAllContentTypeParsers();
    inner.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) =>
      done(null, body),
    );
    inner.route({
      method: ['GET', 'POST'],
      url: '/graphql',
      handler(request, reply) {
        if (asksForPage(request)) return sendGraphiQL(request, reply);
        const answering = answeringOf(request.headers.accept);
        const format = formatFor(request);
        if (!answering && !format) return send(reply, unacceptable, refusal(notAcceptable()));
        const asked = new Asked(request, reply, format);
        reply.raw.once('close', () => {
          if (!reply.raw.writableFinished) asked.cancellation.cancel();
        });
        const sendIt = (sent: Sent | undefined): void => {
          if (!sent) return;
          // The line is written once the answer has left: it is not to keep the answer until then.
          const errors = sent.errors?.length ?? 0;
          request.logged = (line) => describeRequest(line, asked.context, errors);
          send(reply, answering ?? answeringIn(format, sent), sent);
        };
        return answer(asked)
          .catch(refusal)
          .then((sent) => endOfTurn().then(() => sendIt(sent)));
      },
    });
  });
}

/** A request, and what is known of it so far. */
class Asked {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  /** How a subscription is streamed to who sent it; undefined where none can be. */
  readonly format: StreamFormat | undefined;
  readonly cancellation = new Cancellation();
  /** From when its token has been verified. */
  context: GatewayContext | undefined = undefined;
  constructor(request: FastifyRequest, reply: FastifyReply, format: StreamFormat | undefined) {
    this.request = request;
    this.reply = reply;
    this.format = format;
  }
}

/** The span of a request, and what is below it. */
interface Traced {
  tracing: Tracing;
  span: Span;
}

interface Sent extends Outcome {
  extensions?: Record<string, unknown>;
  /** Whether the request was wrong, and not the operation in it. */
  isRequestError?: boolean;
  /** When to come back, where that is known. */
  retryAfterS?: number | undefined;
}

interface Sending extends Answering {
  /** Answers as a stream of one. */
  format?: StreamFormat | undefined;
}

function send(reply: FastifyReply, { media, statusTells, format }: Sending, sent: Sent): FastifyReply {
  const { data, errors, extensions, status, isRequestError, retryAfterS } = sent;
  const isRefusal = status === 400 && !isRequestError;
  if (status === 405) reply.header('allow', 'POST');
  const waitS = data === null ? waitOf(errors) : undefined;
  const comeBackS = retryAfterS ?? waitS;
  if (comeBackS !== undefined) reply.header('retry-after', comeBackS);
  const said = isRefusal && !statusTells ? 200 : status;
  reply
    .code(waitS === undefined ? said : 429)
    .header('cache-control', 'no-store')
    .header('x-content-type-options', 'nosniff')
    .header('content-type', format ? format.contentType : `${media}; charset=utf-8`);
  const text = jsonOf(errors || extensions ? { errors, data, extensions } : { data });
  return reply.send(format ? format.opening + format.next(String(text)) + format.complete : text);
}

/** @throws RATE_LIMITED for who has to wait */
function refuseHaste(seconds: number): void {
  if (seconds > 0) throw tooOften(seconds);
}

/** By a GET only what a browser's own EventSource asks for. */
function formatFor({ method, headers }: FastifyRequest): StreamFormat | undefined {
  const format = streamFormatOf(headers.accept);
  return method === 'POST' || (method === 'GET' && format?.byGet) ? format : undefined;
}

/**
 * How who takes nothing but streams is answered at once. That an operation is refused is told in the stream, as
 * graphql-sse has it: its client asks again and again where a status says so.
 */
const answeringIn = (format: StreamFormat | undefined, { status, isRequestError }: Sent): Sending =>
  status === 200 || (status === 400 && !isRequestError)
    ? { ...unacceptable, statusTells: false, format }
    : unacceptable;

/** The operation of a request, where it is a subscription. */
function subscriptionOf(
  request: EngineRequest,
  { engine }: Graph,
  principal: Principal | null,
): ReadyOperation | undefined {
  // Most operations of clients that take streams too are none, and are not looked up twice.
  if (!request.query.includes('subscription')) return undefined;
  const read = engine.read(request, principal);
  return 'document' in read && read.kind === OperationTypeNode.SUBSCRIPTION ? read : undefined;
}

const bodyOf = ({ body }: FastifyRequest): string => (typeof body === 'string' ? body : '');

/** @throws UNAUTHENTICATED, FORBIDDEN for who asks for a plan and may not see it */
function wantsPlan({ extensions }: Parameters, principal: Principal | null, isOpen: boolean): boolean {
  if (extensions['queryPlan'] !== true) return false;
  if (isOpen || isStaff(authenticated(principal))) return true;
  throw problem('FORBIDDEN', 'Query plans are shown to staff.');
}

const unacceptable: Answering = { media: 'application/json', statusTells: true };
const notAcceptable = (): GraphQLError =>
  problem('BAD_USER_INPUT', 'Answers are application/json or application/graphql-response+json, in UTF-8.', {
    http: { status: 406 },
  });

const statusByCode: Readonly<Record<string, number>> = {
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  SERVICE_UNAVAILABLE: 503,
};
const statusOf = (error: GraphQLError | undefined): number =>
  error ? (statusByCode[String(error.extensions['code'])] ?? 400) : 500;
