import { afterAll, beforeAll, expect, test } from 'vitest';
import { needs } from '../platform/testing/needs.js';
import { until } from '../platform/testing/until.js';
import { complaints, type Sample, samplesOf, sum } from './support/metrics.js';
import { type System, startSystem } from './support/system.js';

let system: System;
let secrets: string[];

beforeAll(async () => {
  system = await startSystem();
  const customer = await system.register();
  await system.topUp(customer, '50.00');
  const orderId = await system.order(customer);
  const watching = system.subscribe(
    'subscription ($id: ID!) { orderUpdated(orderId: $id) { status } }',
    { id: orderId },
    customer.token,
  );
  await system.reaches(orderId, 'COMPLETED');
  await watching.ended;
  await system.graphql('query ($id: ID!) { payment(id: $id) { id } }', { id: orderId });
  await system.graphql('{ nothing }');
  await system.http(`/orders/${orderId}?of=${customer.userId}`);
  secrets = [orderId, customer.userId, customer.email, customer.token];
});
afterAll(() => system.stop());

const read = async (url: string): Promise<string> => (await fetch(url)).text();
const ofSubgraph = (url: string): string => new URL('/metrics', url).href;

/** Looks until all that was written has been published and handled, as the gauges say: they are 5 s old at most. */
const settled = (): Promise<Sample[]> =>
  until('the outboxes are empty and nobody lags', async () => {
    const samples = samplesOf(await read(system.metricsUrl));
    const waits = sum(samples, 'outbox_events') === 0 && sum(samples, 'consumer_lag_events') === 0;
    return waits && samples;
  });

needs('promtool')('promtool', () => {
  test('has nothing to say about the metrics of any port', async () => {
    const urls = [system.metricsUrl, ...[...system.subgraphs.values()].map(({ url }) => ofSubgraph(url))];
    expect(urls).toHaveLength(6);
    for (const url of urls) {
      expect(complaints(await read(url)), url).toBe('');
    }
  });
});

test('the outboxes and the relays are measured, by service', async () => {
  const samples = await settled();
  for (const service of ['user', 'order', 'payment', 'delivery']) {
    expect(sum(samples, 'outbox_events', { service })).toBe(0);
    expect(sum(samples, 'outbox_oldest_age_seconds', { service })).toBe(0);
    const published = sum(samples, 'producer_events_published_total', { service });
    expect(published).toBeGreaterThan(0);
    expect(sum(samples, 'producer_batch_size_sum', { service })).toBe(published);
    const batches = sum(samples, 'producer_batch_size_count', { service });
    expect(sum(samples, 'producer_publish_duration_seconds_count', { service })).toBe(batches);
    expect(sum(samples, 'producer_publish_duration_seconds_sum', { service })).toBeGreaterThan(0);
  }
  expect(sum(samples, 'producer_events_published_total', { service: 'order', topic: 'order.created' })).toBe(
    1,
  );
  expect(sum(samples, 'producer_events_failed_total')).toBeUndefined();
});

test('what consumers do is measured, by group and topic', async () => {
  const samples = await settled();
  const of = { group: 'payment', topic: 'order.created' };
  expect(sum(samples, 'consumer_events_handled_total', of)).toBe(1);
  expect(sum(samples, 'consumer_batch_duration_seconds_count', of)).toBe(1);
  expect(sum(samples, 'consumer_lag_events', of)).toBe(0);
  expect(sum(samples, 'consumer_retries_total', of)).toBe(0);
  expect(sum(samples, 'consumer_dead_letters_total', of)).toBe(0);
  const groups = (name: string) =>
    samples
      .filter((sample) => sample.name === name)
      .map(({ labels }) => `${labels['group']} ${labels['topic']}`)
      .toSorted();
  expect(groups('consumer_lag_events').length).toBeGreaterThan(3);
  expect(groups('consumer_dead_letters_total')).toEqual(groups('consumer_lag_events'));
});

test('requests are measured by service, route and status, however they end', async () => {
  const samples = samplesOf(await read(system.metricsUrl));
  const asked = { service: 'gateway', method: 'POST', route: '/graphql' };
  expect(sum(samples, 'http_requests_total', { ...asked, status: '200' })).toBeGreaterThan(4);
  expect(sum(samples, 'http_requests_total', { ...asked, status: '400' })).toBe(1);
  expect(sum(samples, 'http_request_duration_seconds_count', asked)).toBe(
    sum(samples, 'http_requests_total', asked),
  );
  expect(sum(samples, 'http_requests_total', { service: 'gateway', route: 'unknown', status: '404' })).toBe(
    1,
  );
  expect(sum(samples, 'http_requests_total', { service: 'order', route: '/graphql' })).toBeGreaterThan(0);
  expect(sum(samples, 'graphql_errors_total', { service: 'gateway', code: 'UNAUTHENTICATED' })).toBe(1);
  expect(sum(samples, 'graphql_subscriptions', { service: 'gateway' })).toBe(0);
});

test('labels hold names, never what a client sent', async () => {
  const text = await read(system.metricsUrl);
  for (const secret of secrets) expect(text).not.toContain(secret);
  const samples = samplesOf(text);
  expect(samples.length).toBeGreaterThan(500);
  expect(samples.map(({ value }) => value)).not.toContain(Number.NaN);
  const bounded = new Set(['le', 'status', 'version', 'major', 'minor', 'patch']);
  for (const { name, labels } of samples)
    for (const [label, value] of Object.entries(labels).filter(([label]) => !bounded.has(label)))
      expect({ name, label, value }).toEqual({
        name,
        label,
        value: expect.stringMatching(/^[\w./-]{1,40}$/),
      });
  for (const { name, labels } of samples.filter(({ name }) => !name.startsWith('nodejs_')))
    for (const [label, value] of Object.entries(labels).filter(([label]) => !bounded.has(label)))
      expect({ name, label, value }).toEqual({ name, label, value: expect.not.stringMatching(/\d/) });
});
