import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { metrics } from '../../platform/metrics.js';
import type { Gateway } from '../index.js';
import { startClockwork } from '../testing/clockwork.js';
import { get, type Issuer, startTestGateway } from '../testing/gateway.js';
import { coded, failure, lastOf, openStream, type StreamName } from '../testing/stream.js';
import type { TestSubgraph } from '../testing/subgraph.js';
import { type Clock, ticksSupergraph } from '../testing/ticks.js';

/** How streams are asked for: by which method, with which headers. */

let clock: Clock;
let ticks: TestSubgraph;
let labels: TestSubgraph;
let issuer: Issuer;
let gateway: Gateway;

beforeEach(async () => {
  ({ clock, ticks, labels, issuer } = await startClockwork());
  const supergraph = ticksSupergraph({ ticks: ticks.url, labels: labels.url });
  const corsOrigins = ['https://shop.example'];
  gateway = await startTestGateway({ supergraph, jwksUrl: issuer.jwksUrl, corsOrigins });
});
afterEach(async () => {
  await gateway.stop();
  await Promise.all([ticks.stop(), labels.stop(), issuer.stop()]);
});

async function open(name: StreamName, query: string, options: Parameters<typeof openStream>[3] = {}) {
  const stream = await openStream(gateway.url, name, query, options);
  onTestFinished(() => stream.leave());
  return stream;
}

const shared = 'subscription ($after: ID) { ticks(name: "a", after: $after) { cursor value } }';
const event = (value: number) => ({
  type: 'next',
  id: `a/${value}`,
  payload: { data: { ticks: { cursor: `a/${value}`, value } } },
});

describe('by a GET', () => {
  test('events can be had, without a preflight, and nothing can be changed', async () => {
    clock.tick('a');
    const stream = await open('sse', shared, { method: 'GET', variables: { after: null } });
    expect(await stream.next()).toEqual(event(1));
    clock.tick('a');
    expect(await stream.next()).toEqual(event(2));
    const query = await open('sse', '{ now }', { method: 'GET' });
    expect(await query.next()).toEqual({ type: 'next', payload: { data: { now: 0 } } });
  });

  test('multipart cannot be had', async () => {
    const refused = await open('multipart', shared, { method: 'GET' });
    // Apollo Server has a refusal of its own for GETs.
    const code = expect.toBeOneOf(['GRAPHQL_VALIDATION_FAILED', 'BAD_USER_INPUT']);
    expect(await refused.json()).toEqual({ errors: coded(code) });
    const none = await open('multipart', shared, {
      method: 'GET',
      headers: { accept: 'multipart/mixed;subscriptionSpec=1.0' },
    });
    expect(none.status).toBe(406);
  });

  test('nothing goes on for a HEAD', async () => {
    const head = await open('sse', shared, { method: 'HEAD' });
    expect(await head.next()).toEqual({ type: 'end', isWhole: true });
    expect([head.status, metrics.streams.labels('gateway', 'sse').value]).toEqual([406, 0]);
  });

  test('what is asked for as JSON stays refused', async () => {
    expect((await get(gateway, { query: shared })).status).toBeOneOf([400, 405]);
  });
});

test('a body of a type that a page may send unasked begins no stream', async () => {
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
    const refused = await open('sse', shared, { headers: { 'content-type': type } });
    expect([refused.status, await refused.json()]).toEqual([415, { errors: coded('BAD_USER_INPUT') }]);
  }
  expect(metrics.upstreamOperations.labels('ticks').value).toBe(0);
});

test.each(['sse', 'multipart'] as const)(
  '%s may be read by pages of the sites that are named',
  async (name) => {
    clock.tick('a');
    const from = async (origin: string) => (await open(name, shared, { headers: { origin } })).headers;
    expect(await from('https://shop.example')).toMatchObject({
      'access-control-allow-origin': 'https://shop.example',
      vary: 'Origin',
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
    });
    expect(await from('https://evil.example')).not.toHaveProperty('access-control-allow-origin');
  },
);

describe('Last-Event-ID', () => {
  const headers = { 'last-event-id': 'a/1' };

  test('resumes, and counts for more than the argument, which a browser sends again', async () => {
    for (let n = 0; n < 3; n++) clock.tick('a');
    for (const after of [undefined, null, 'a/2']) {
      const stream = await open('sse', shared, { method: 'GET', variables: { after }, headers });
      expect(await stream.next()).toEqual(event(2));
    }
  });

  test('resumes nothing that has no cursors, where events have no ids', async () => {
    for (let n = 0; n < 3; n++) clock.tick('a');
    const stream = await open('sse', 'subscription { plain(name: "a") { value } }', { headers });
    expect(await stream.next()).toEqual({ type: 'next', payload: { data: { plain: { value: 3 } } } });
  });

  test('that no event had is refused', async () => {
    clock.tick('a');
    const stream = await open('sse', shared, { headers: { 'last-event-id': 'a/nonsense' } });
    expect(await lastOf(stream)).toEqual(failure('sse', 'BAD_USER_INPUT'));
  });
});
