import type { IncomingHttpHeaders } from 'node:http';
import {
  type Attributes,
  context as active,
  type Context,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import type { GatewayContext } from './context.js';

/** A place in a trace, below which spans are made. There is one only where an OpenTelemetry SDK is registered. */
export interface Tracing {
  /** Runs work in a span, active meanwhile; a failure is recorded, and the span ends with the work. */
  span<T>(name: string, attributes: Attributes, work: (inner: Tracing, span: Span) => Promise<T>): Promise<T>;
  /** Begins a span for work that does not wait. */
  begin(name: string, attributes?: Attributes): Span;
  /** What tells a subgraph of this place, in the words of the SDK's propagator. */
  headers(): Record<string, string>;
  /** The same for work whose spans are made by somebody else: it makes none, and its place is the active one. */
  quiet(): Tracing;
}

/**
 * Where the trace of a request goes on: below the active span (of an instrumented HTTP server), else where its
 * headers say. Undefined where nobody traces, which costs one look: everything then takes the untraced path.
 */
export function tracingOf(headers: IncomingHttpHeaders): Tracing | undefined {
  const tracer = registeredTracer();
  if (!tracer) return undefined;
  const here = active.active();
  return tracingAt(trace.getSpan(here) ? here : propagation.extract(here, headers), tracer);
}

/** The API's own provider hands out tracers that do nothing; one that has a delegate has an SDK behind it. */
function registeredTracer(): Tracer | undefined {
  const provider = trace.getTracerProvider();
  if (!('getDelegateTracer' in provider)) return provider.getTracer(tracerName);
  return (provider as { getDelegateTracer(name: string): Tracer | undefined }).getDelegateTracer(tracerName);
}
const tracerName = 'doorstep/gateway';

function tracingAt(place: Context, tracer: Tracer): Tracing {
  const isRoot = trace.getSpan(place)?.isRecording() !== true;
  const begin = (name: string, attributes: Attributes = {}) =>
    tracer.startSpan(name, { attributes, kind: isRoot ? SpanKind.SERVER : SpanKind.INTERNAL }, place);
  return {
    begin,
    async span(name, attributes, work) {
      const span = begin(name, attributes);
      const inside = trace.setSpan(place, span);
      try {
        return await active.with(inside, () => work(tracingAt(inside, tracer), span));
      } catch (error) {
        span.recordException(error as Error);
        span.setStatus({ code: SpanStatusCode.ERROR });
        throw error;
      } finally {
        span.end();
      }
    },
    headers: () => headersAt(place),
    quiet() {
      const quiet: Tracing = {
        begin: () => trace.wrapSpanContext({ traceId: '', spanId: '', traceFlags: 0 }),
        span: (_name, _attributes, work) => work(quiet, quiet.begin('')),
        headers: () => headersAt(active.active()),
        quiet: () => quiet,
      };
      return quiet;
    },
  };
}

function headersAt(place: Context): Record<string, string> {
  const headers: Record<string, string> = {};
  propagation.inject(place, headers);
  return headers;
}

interface Problem {
  message: string;
  extensions?: Readonly<Record<string, unknown>>;
}
interface Result {
  errors?: readonly Problem[];
}

/** Runs work in a span where its request is traced, and at once where it is not. */
export function inSpan<T extends Result>(
  context: GatewayContext,
  name: string,
  attributes: () => Attributes,
  work: (context: GatewayContext) => Promise<T>,
): Promise<T> {
  if (!context.tracing) return work(context);
  return context.tracing.span(name, attributes(), async (tracing, span) => {
    const result = await work({ ...context, tracing });
    recordErrors(span, result.errors);
    return result;
  });
}

/** Runs an operation that came over a socket, or an event of one, as a trace of its own: the socket lives longer than any. */
export function asTrace<T extends Result>(
  context: GatewayContext,
  name: string,
  work: (context: GatewayContext) => Promise<T>,
): Promise<T> {
  const tracer = registeredTracer();
  if (!tracer) return work(context);
  const tracing = tracingAt(ROOT_CONTEXT, tracer);
  return inSpan({ ...context, tracing }, name, () => ({ [requestIdAttribute]: context.requestId }), work);
}

export const requestIdAttribute = 'doorstep.request_id';

/** So many of the errors of one answer are written into its span. */
const mostErrors = 10;

export function recordErrors(span: Span, errors: readonly Problem[] = []): void {
  if (errors.length === 0) return;
  for (const { message, extensions } of errors.slice(0, mostErrors)) {
    const name = String(extensions?.['code'] ?? 'GraphQLError');
    // What says that a variable is wrong quotes it.
    span.recordException(name === 'BAD_USER_INPUT' ? { name } : { name, message });
  }
  span.setAttribute('graphql.errors.count', errors.length);
  span.setStatus({ code: SpanStatusCode.ERROR });
}

/** What the span of a request, or of its execution, says of the operation. */
export const operationAttributes = (operation: GatewayContext['operation']): Attributes =>
  operation
    ? {
        'graphql.operation.type': operation.kind,
        ...(operation.name !== undefined && { 'graphql.operation.name': operation.name }),
      }
    : {};

const wellFormed = /^(?!ff)[\da-f]{2}-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}$/;

/** The trace context that a client sent, for subgraphs that trace behind a gateway that does not; undefined where it is none. */
export function clientsTrace({ traceparent, tracestate }: IncomingHttpHeaders): ClientsTrace | undefined {
  if (typeof traceparent !== 'string' || !wellFormed.test(traceparent)) return undefined;
  const isShort = typeof tracestate === 'string' && tracestate.length <= 512;
  return isShort ? { traceparent, tracestate } : { traceparent };
}

export interface ClientsTrace {
  traceparent: string;
  tracestate?: string;
}
