import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/**
 * Every metric of the process, in one registry: several services may share a process, so each
 * metric that belongs to one carries a `service` label.
 */
const registry = new Registry();

const seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export const metrics = {
  registry,
  httpRequests: new Counter({
    name: 'http_requests_total',
    help: 'HTTP requests answered.',
    labelNames: ['service', 'method', 'route', 'status'] as const,
    registers: [registry],
  }),
  httpDuration: new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time from the first byte of a request to the last byte of its answer.',
    labelNames: ['service', 'method', 'route'] as const,
    buckets: seconds,
    registers: [registry],
  }),
  graphqlErrors: new Counter({
    name: 'graphql_errors_total',
    help: 'Errors in GraphQL answers, by code.',
    labelNames: ['service', 'code'] as const,
    registers: [registry],
  }),
  postgresReads: new Counter({
    name: 'postgres_reads_total',
    help: 'SQL statements run for the reads of GraphQL queries.',
    labelNames: ['service'] as const,
    registers: [registry],
  }),
  subgraphFetches: new Histogram({
    name: 'gateway_subgraph_fetch_duration_seconds',
    help: 'Fetches of the gateway from a subgraph, by outcome (ok or error).',
    labelNames: ['subgraph', 'outcome'] as const,
    buckets: seconds,
    registers: [registry],
  }),
  eventsPublished: new Counter({
    name: 'producer_events_published_total',
    help: 'Events taken from the outbox and accepted by the bus.',
    labelNames: ['service', 'topic'] as const,
    registers: [registry],
  }),
  eventsFailed: new Counter({
    name: 'producer_events_failed_total',
    help: 'Attempts to publish that failed; the outbox keeps the events.',
    labelNames: ['service'] as const,
    registers: [registry],
  }),
  eventsHandled: new Counter({
    name: 'consumer_events_total',
    help: 'Events handled by a consumer group, by outcome (done, retried or dead).',
    labelNames: ['group', 'topic', 'outcome'] as const,
    registers: [registry],
  }),
  handlingDuration: new Histogram({
    name: 'consumer_batch_duration_seconds',
    help: 'Time a consumer group took for one batch.',
    labelNames: ['group', 'topic'] as const,
    buckets: seconds,
    registers: [registry],
  }),
  sockets: new Gauge({
    name: 'websocket_connections',
    help: 'Open WebSocket connections of clients.',
    labelNames: ['service'] as const,
    registers: [registry],
  }),
  subscriptions: new Gauge({
    name: 'graphql_subscriptions',
    help: 'Running subscriptions.',
    labelNames: ['service'] as const,
    registers: [registry],
  }),
};

/** Adds the metrics of the Node process itself (CPU, heap, event loop); again is harmless. */
export function collectProcessMetrics(): void {
  if (registry.getSingleMetric('process_cpu_user_seconds_total')) return;
  collectDefaultMetrics({ register: registry });
}
