import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { context, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Gateway } from './index.js';
import { openSocket } from './testing/client.js';
import { post, startTestGateway, until } from './testing/gateway.js';
import { type Library, librarySupergraph, startLibrary } from './testing/library.js';

let library: Library;
let gateway: Gateway;
/** What the authors were asked with; they answer with Ann, or not at all. */
let seen: IncomingHttpHeaders[];
let isAway = false;
const authors = createServer((request, response) => {
  if (request.method === 'GET') return response.writeHead(200).end();
  seen.push(request.headers);
  if (isAway) return response.writeHead(500).end();
  const entities = [{ __typename: 'Author', name: 'Ann' }];
  return response
    .setHeader('content-type', 'application/json')
    .end(JSON.stringify({ data: { _entities: entities } }));
});

beforeAll(async () => {
  library = await startLibrary();
  await new Promise<void>((resolve) => authors.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  authors.closeAllConnections();
  authors.close();
  await Promise.all([library.books.stop(), library.authors.stop()]);
});
beforeEach(() => {
  seen = [];
  isAway = false;
});

const start = (executor: 'doorstep' | 'apollo') =>
  startTestGateway({
    supergraph: librarySupergraph(),
    subgraphUrls: {
      ...library.urls,
      authors: `http://127.0.0.1:${(authors.address() as AddressInfo).port}/graphql`,
    },
    executor,
  });

const query = 'query Shelf { book(id: "1") { title author { name } } }';
const traceId = '0af7651916cd43dd8448eb211c80319c';
const traceparent = `00-${traceId}-b7ad6b7169203331-01`;
const ask = (headers: Record<string, string> = {}, text = query) => post(gateway, text, { headers });

describe('without an SDK', () => {
  beforeAll(async () => {
    gateway = await start('doorstep');
  });
  afterAll(() => gateway.stop());

  test("a client's trace is passed on as it came", async () => {
    await ask({ traceparent, tracestate: 'vendor=1' });
    expect(seen).toMatchObject([{ traceparent, tracestate: 'vendor=1' }]);
  });

  test.each([
    {},
    { tracestate: 'vendor=1' },
    { traceparent: 'x' },
    { traceparent: traceparent.toUpperCase() },
    { traceparent: `${traceparent}-00` },
    { traceparent: traceparent.replace('00-', 'ff-') },
    { traceparent: `00-${'0'.repeat(32)}-b7ad6b7169203331-01` },
  ])('what is no trace is not: %o', async (headers) => {
    await ask(headers);
    expect(seen).toHaveLength(1);
    expect(seen[0]).not.toHaveProperty('traceparent');
    expect(seen[0]).not.toHaveProperty('tracestate');
  });
});

describe('with an SDK', () => {
  const exporter = new InMemorySpanExporter();
  beforeAll(() => {
    new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).register({
      contextManager: new AsyncLocalStorageContextManager().enable(),
      propagator: new W3CTraceContextPropagator(),
    });
  });
  afterAll(() => {
    trace.disable();
    context.disable();
    propagation.disable();
  });
  afterEach(async () => {
    await gateway.stop();
    exporter.reset();
  });

  const named = (name: string) => exporter.getFinishedSpans().filter((span) => span.name === name);
  const only = (name: string): ReadableSpan => {
    const [span, ...more] = named(name);
    if (!span || more.length > 0) throw new Error(`${more.length + 1} spans are called ${name}`);
    return span;
  };
  /** The spans as a tree: each a name, and what is below it in the order of its beginning. */
  function tree(below?: string): unknown[] {
    return exporter
      .getFinishedSpans()
      .filter(({ parentSpanId }) => parentSpanId === below)
      .sort((a, b) => a.startTime[0] - b.startTime[0] || a.startTime[1] - b.startTime[1])
      .map((span) => {
        const inner = tree(span.spanContext().spanId);
        return inner.length > 0 ? [span.name, ...inner] : span.name;
      });
  }
  const execution = ['gateway.execute', 'gateway.fetch', 'gateway.fetch'];

  test('a request has spans for its preparation, its execution and its fetches, which subgraphs hear of', async () => {
    gateway = await start('doorstep');
    expect((await ask({ 'x-request-id': 'r-1' })).body.errors).toBeUndefined();
    await until(() => named('gateway.request').length === 1);
    expect(tree()).toEqual([['gateway.request', 'gateway.prepare', execution]]);
    const operation = { 'graphql.operation.name': 'Shelf', 'graphql.operation.type': 'query' };
    const request = only('gateway.request');
    expect(request.attributes).toEqual({ ...operation, 'doorstep.request_id': 'r-1' });
    expect(request.kind).toBe(SpanKind.SERVER);
    expect(only('gateway.execute').attributes).toEqual(operation);
    const [books, ofAuthors] = named('gateway.fetch');
    expect([books, ofAuthors].map((span) => span?.attributes)).toEqual([
      { 'graphql.subgraph.name': 'books', 'graphql.operation.name': 'Shelf__books__0' },
      { 'graphql.subgraph.name': 'authors', 'graphql.operation.name': 'Shelf__authors__1' },
    ]);
    const place = ofAuthors?.spanContext();
    expect(seen.map((headers) => headers['traceparent'])).toEqual([
      `00-${request.spanContext().traceId}-${place?.spanId}-01`,
    ]);

    exporter.reset();
    await ask();
    await until(() => named('gateway.request').length === 1);
    expect(tree()).toEqual([['gateway.request', execution]]);
  });

  test("it goes on with the client's trace", async () => {
    gateway = await start('doorstep');
    await ask({ traceparent });
    await until(() => named('gateway.request').length === 1);
    expect(only('gateway.request').parentSpanId).toBe('b7ad6b7169203331');
    expect(seen[0]?.['traceparent']).toMatch(`00-${traceId}-`);
    expect(seen[0]?.['traceparent']).not.toBe(traceparent);
  });

  test('what fails is recorded where it failed, and above', async () => {
    gateway = await start('doorstep');
    isAway = true;
    await ask();
    await until(() => named('gateway.request').length === 1);
    const failed = exporter.getFinishedSpans().filter(({ status }) => status.code === SpanStatusCode.ERROR);
    expect(failed.map(({ name, attributes }) => attributes['graphql.subgraph.name'] ?? name).sort()).toEqual([
      'authors',
      'gateway.execute',
      'gateway.request',
    ]);
    expect(only('gateway.request').events).toMatchObject([
      { name: 'exception', attributes: { 'exception.type': 'SERVICE_UNAVAILABLE' } },
    ]);

    exporter.reset();
    await ask({}, '{ boks }');
    await until(() => named('gateway.request').length === 1);
    expect(tree()).toEqual([['gateway.request', 'gateway.prepare']]);
    expect(only('gateway.prepare').status.code).toBe(SpanStatusCode.ERROR);

    exporter.reset();
    const variables = { filter: { shelf: 'top', limit: 'secret' } };
    const { body } = await post(gateway, 'query ($filter: Filter!) { find(filter: $filter) { id } }', {
      variables,
    });
    expect(JSON.stringify(body)).toContain('secret');
    await until(() => named('gateway.request').length === 1);
    expect(only('gateway.request').events).toMatchObject([
      { name: 'exception', attributes: { 'exception.type': 'BAD_USER_INPUT' } },
    ]);
    expect(JSON.stringify(only('gateway.request').events)).not.toContain('secret');

    exporter.reset();
    await ask({ authorization: 'Bearer wrong' });
    await until(() => named('gateway.request').length === 1);
    expect(only('gateway.request').status.code).toBe(SpanStatusCode.ERROR);
  });

  test('operations over a socket, and events of subscriptions, are traces of their own', async () => {
    gateway = await start('doorstep');
    const socket = await openSocket(gateway.url);
    socket.subscribe('1', '{ book(id: "1") { author { name } } }');
    await socket.next();
    await until(() => named('gateway.request').length === 1);
    expect(tree()).toEqual([['gateway.request', execution]]);
    exporter.reset();
    socket.subscribe('2', 'subscription { bookAdded { author { name } } }');
    await until(() => library.events.listeners() === 1);
    library.events.push({ bookAdded: { id: '1', author: { id: 'a1' } } });
    await until(() => named('gateway.event').length === 1);
    expect(tree()).toEqual([['gateway.event', 'gateway.fetch']]);
    expect(seen.at(-1)?.['traceparent']).toContain(only('gateway.fetch').spanContext().spanId);
    socket.close();
  });

  test("apollo: the spans are ApolloGateway's, below that of the request, and subgraphs hear of them", async () => {
    gateway = await start('apollo');
    await ask();
    await until(() => named('gateway.request').length === 2);
    const [ofAuthors] = named('gateway.fetch').filter(
      ({ attributes }) => attributes['service'] === 'authors',
    );
    expect(tree()).toEqual([
      [
        'gateway.request',
        ['gateway.request', 'gateway.validate', 'gateway.plan', [...execution, 'gateway.postprocessing']],
      ],
    ]);
    expect(seen[0]?.['traceparent']).toContain(ofAuthors?.spanContext().spanId);
  });
});
