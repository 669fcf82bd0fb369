import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { Tally, Times } from './tally.js';

/**
 * Every metric of the process, in one registry: several services may share a process, so each
 * metric that belongs to one carries a `service` label.
 */
const registry = new Registry();

const seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export const metrics = {
  registry,
  httpRequests: new Tally({
    name: 'http_requests_total',
    help: 'HTTP requests answered.',
    labelNames: ['service', 'method', 'route', 'status'] as const,
    registry,
  }),
  httpDuration: new Times({
    name: 'http_request_duration_seconds',
    help: 'Time from the first byte of a request to the last byte of its answer.',
    labelNames: ['service', 'method', 'route'] as const,
    buckets: seconds,
    registry,
  }),
  graphqlErrors: new Counter({
    name: 'graphql_errors_total',
    help: 'Errors in GraphQL answers, by code.',
    labelNames: ['service', 'code'] as const,
    registers: [registry],
  }),
  documents: new Tally({
    name: 'graphql_documents_total',
    help: 'GraphQL documents executed, by outcome: hit (compiled before) or miss (read, and compiled where valid).',
    labelNames: ['service', 'outcome'] as const,
    registry,
  }),
  documentsKept: new Gauge({
    name: 'graphql_documents_kept',
    help: 'GraphQL documents that are kept compiled.',
    labelNames: ['service'] as const,
    registers: [registry],
  }),
  cacheReads: new Counter({
    name: 'cache_reads_total',
    help: 'Rows asked of a cache, by result: hit, miss (read from the database), or away (the same, since the cache is).',
    labelNames: ['cache', 'result'] as const,
    registers: [registry],
  }),
  postgresReads: new Counter({
    name: 'postgres_reads_total',
    help: 'SQL statements run for the reads of GraphQL queries.',
    labelNames: ['service'] as const,
    registers: [registry],
  }),
  readsJoined: new Counter({
    name: 'gateway_reads_joined_total',
    help: 'Fetches that waited for an equal one that was under way.',
    labelNames: ['subgraph'] as const,
    registers: [registry],
  }),
  supergraphChanges: new Counter({
    name: 'gateway_supergraph_changes_total',
    help: 'New contents of the supergraph file: served, or refused, so that the one before it stays.',
    labelNames: ['result'] as const,
    registers: [registry],
  }),
  operations: new Tally({
    name: 'gateway_operations_total',
    help: 'Operations that were looked up by their document: hit where it was known, miss where it had to be parsed, validated and planned, refused where it was wrong.',
    labelNames: ['result'] as const,
    registry,
  }),
  operationsKept: new Gauge({
    name: 'gateway_operations_kept',
    help: 'Operations whose plan is kept.',
    registers: [registry],
  }),
  preparing: new Histogram({
    name: 'gateway_operation_prepare_duration_seconds',
    help: 'Time to parse, validate and plan a document that was not known.',
    buckets: seconds,
    registers: [registry],
  }),
  calls: new Tally({
    name: 'calls_total',
    help: 'Calls of another part, by outcome: ok (below 500), error, timeout, refused (open circuit), full or cancelled.',
    labelNames: ['part', 'outcome'] as const,
    registry,
  }),
  callDuration: new Times({
    name: 'call_duration_seconds',
    help: 'Time of a call of another part, its retries included.',
    labelNames: ['part'] as const,
    buckets: seconds,
    registry,
  }),
  callsUnderWay: new Tally({
    name: 'calls_under_way',
    help: 'Calls of another part that are not over, those that wait for a connection included.',
    labelNames: ['part'] as const,
    registry,
    type: 'gauge',
  }),
  callRetries: new Counter({
    name: 'call_retries_total',
    help: 'Calls of another part that were sent again.',
    labelNames: ['part'] as const,
    registers: [registry],
  }),
  callRetriesExhausted: new Counter({
    name: 'call_retry_budget_exhausted_total',
    help: 'Calls of another part that were not sent again because the budget of retries was used up.',
    labelNames: ['part'] as const,
    registers: [registry],
  }),
  circuit: new Gauge({
    name: 'circuit_state',
    help: 'Circuit breaker of another part: 0 closed, 1 half-open, 2 open.',
    labelNames: ['part'] as const,
    registers: [registry],
  }),
  outboxEvents: new Gauge({
    name: 'outbox_events',
    help: 'Events that wait in the outbox, as each replica sees it; no more than 100001 are counted.',
    labelNames: ['service'] as const,
    registers: [registry],
  }),
  outboxAge: new Gauge({
    name: 'outbox_oldest_age_seconds',
    help: "Age of the oldest event in the outbox by the database's clock; 0 when it is empty.",
    labelNames: ['service'] as const,
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
    help: 'Events that the bus did not accept, counted anew at each attempt; the outbox keeps them.',
    labelNames: ['service', 'topic'] as const,
    registers: [registry],
  }),
  publishDuration: new Histogram({
    name: 'producer_publish_duration_seconds',
    help: 'Time the bus took for one batch of events, whether it accepted them or not.',
    labelNames: ['service'] as const,
    buckets: seconds,
    registers: [registry],
  }),
  batchSize: new Histogram({
    name: 'producer_batch_size',
    help: 'Events in one batch that was handed to the bus.',
    labelNames: ['service'] as const,
    buckets: [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000],
    registers: [registry],
  }),
  eventsHandled: new Counter({
    name: 'consumer_events_handled_total',
    help: 'Events that a consumer group has handled.',
    labelNames: ['group', 'topic'] as const,
    registers: [registry],
  }),
  retries: new Counter({
    name: 'consumer_retries_total',
    help: 'Tries that failed by the fault of the event itself, which will be tried again.',
    labelNames: ['group', 'topic'] as const,
    registers: [registry],
  }),
  deadLetters: new Counter({
    name: 'consumer_dead_letters_total',
    help: 'Events that were put aside, as unreadable or after the last try.',
    labelNames: ['group', 'topic'] as const,
    registers: [registry],
  }),
  lag: new Gauge({
    name: 'consumer_lag_events',
    help: 'Events that the bus has for a consumer group and that it has yet to handle.',
    labelNames: ['group', 'topic'] as const,
    registers: [registry],
  }),
  handlingDuration: new Histogram({
    name: 'consumer_batch_duration_seconds',
    help: 'Time a consumer group took for one batch.',
    labelNames: ['group', 'topic'] as const,
    buckets: seconds,
    registers: [registry],
  }),
  eventMonths: new Gauge({
    name: 'event_store_months',
    help: 'Partitions of the event store, each with the events of a month; that of odd times aside.',
    registers: [registry],
  }),
  sockets: new Gauge({
    name: 'websocket_connections',
    help: 'Open WebSocket connections of clients.',
    labelNames: ['service'] as const,
    registers: [registry],
  }),
  streams: new Tally({
    name: 'http_streams',
    help: 'Open answers over HTTP that bring a subscription to a client, by format (sse or multipart).',
    labelNames: ['service', 'format'] as const,
    registry,
    type: 'gauge',
  }),
  streamsEnded: new Tally({
    name: 'http_streams_ended_total',
    help: 'Such answers that are over: complete, failed (it ended with errors), left (by the client), expired (the token), slow (the client did not read) or restart.',
    labelNames: ['service', 'format', 'reason'] as const,
    registry,
  }),
  socketLimits: new Counter({
    name: 'websocket_limits_met_total',
    help: 'Sockets and streams over HTTP that were refused or closed, and operations of sockets that were refused, by the limit that they met; bufferBytes are clients too slow for what they asked.',
    labelNames: ['service', 'limit'] as const,
    registers: [registry],
  }),
  upstreamOperations: new Tally({
    name: 'gateway_upstream_subscriptions',
    help: 'Subscriptions that the gateway has open at a subgraph, for however many clients.',
    labelNames: ['subgraph'] as const,
    registry,
    type: 'gauge',
  }),
  deliveries: new Counter({
    name: 'gateway_subscription_deliveries_total',
    help: 'Events sent to clients, each counted for each client.',
    registers: [registry],
  }),
  deliveryLag: new Histogram({
    name: 'gateway_subscription_lag_seconds',
    help: 'Time from the commit of a change to the moment when the last of those who share its event has been sent it.',
    buckets: seconds,
    registers: [registry],
  }),
  resumes: new Counter({
    name: 'gateway_subscriptions_resumed_total',
    help: 'Subscriptions that began with a cursor.',
    registers: [registry],
  }),
  subscriptions: new Gauge({
    name: 'graphql_subscriptions',
    help: 'Running subscriptions.',
    labelNames: ['service'] as const,
    registers: [registry],
  }),
};

/**
 * Of prom-client's own, those that are named as counters and are gauges: promtool refuses them. Each is the
 * sum of a metric that stays (`nodejs_active_handles` by type, and so on).
 */
const misnamed = ['handles', 'requests', 'resources'].map((what) => `nodejs_active_${what}_total`);

/** Adds the metrics of the Node process itself (CPU, heap, event loop); again is harmless. */
export function collectProcessMetrics(): void {
  if (registry.getSingleMetric('process_cpu_user_seconds_total')) return;
  collectDefaultMetrics({ register: registry });
  for (const name of misnamed) registry.removeSingleMetric(name);
}
