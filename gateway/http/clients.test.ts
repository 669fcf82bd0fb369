import { ApolloClient, ApolloLink, gql, HttpLink, InMemoryCache } from '@apollo/client/core';
import { CombinedGraphQLErrors, CombinedProtocolErrors } from '@apollo/client/errors';
import { RetryLink } from '@apollo/client/link/retry';
import { createClient } from 'graphql-sse';
import { EventSource } from 'undici';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { createChannel } from '../../platform/live/channel.js';
import type { Gateway } from '../index.js';
import { startClockwork } from '../testing/clockwork.js';
import { type Issuer, startTestGateway, until } from '../testing/gateway.js';
import type { TestSubgraph } from '../testing/subgraph.js';
import { type Clock, ticksSupergraph } from '../testing/ticks.js';

/** Streams as the clients read them that people have. */

let clock: Clock;
let ticks: TestSubgraph;
let labels: TestSubgraph;
let issuer: Issuer;
let gateway: Gateway;
let url: string;

beforeEach(async () => {
  ({ clock, ticks, labels, issuer } = await startClockwork());
});
afterEach(async () => {
  await gateway.stop();
  await Promise.all([ticks.stop(), labels.stop(), issuer.stop()]);
});

type Executor = 'doorstep' | 'apollo';
async function start(executor: Executor, port = 0): Promise<void> {
  const supergraph = ticksSupergraph({ ticks: ticks.url, labels: labels.url });
  gateway = await startTestGateway({ supergraph, jwksUrl: issuer.jwksUrl, executor, port });
  url = `${gateway.url}/graphql`;
}

const isServed = (): Promise<boolean> =>
  fetch(`${gateway.url}/health/live`).then(
    ({ ok }) => ok,
    () => false,
  );

/** Stops the gateway, ticks, and starts another at its address. */
async function restart(executor: Executor): Promise<void> {
  await gateway.stop();
  clock.tick('a');
  clock.tick('a');
  await start(executor, gateway.port);
}

const query = 'subscription ($after: ID) { ticks(name: "a", after: $after) { cursor value label } }';
const wrong = 'subscription ($name: String!) { ticks(name: $name) { value } }';
interface Data {
  ticks: { cursor: string; value: number };
}
const tick = (value: number) => ({
  ticks: expect.objectContaining({ value, cursor: `a/${value}`, label: `the tick a:${value}` }),
});

const unbounded = <T>() =>
  createChannel<T>({
    limit: Number.POSITIVE_INFINITY,
    overflow: () => new Error('there is no limit'),
    onClose: () => undefined,
  });

describe.each(['doorstep', 'apollo'] as const)('%s:', (executor) => {
  beforeEach(() => start(executor));

  describe('Apollo Client', () => {
    /** It comes back by its own RetryLink; that it goes on where it was takes a link of five lines. */
    function subscribe(document = query, headers: Record<string, string> = {}) {
      let after: string | undefined;
      const resume = new ApolloLink((operation, forward) => {
        operation.variables = { ...operation.variables, ...(after !== undefined && { after }) };
        return forward(operation);
      });
      const again = new RetryLink({ delay: { initial: 100, max: 500 }, attempts: { max: 50 } });
      const client = new ApolloClient({
        cache: new InMemoryCache(),
        link: ApolloLink.from([
          ...(document === query && !headers['authorization'] ? [again, resume] : []),
          new HttpLink({ uri: url, headers }),
        ]),
      });
      const results = unbounded<ApolloClient.SubscribeResult<Data>>();
      const running = client
        .subscribe<Data>({ query: gql(document), errorPolicy: 'all', fetchPolicy: 'no-cache' })
        .subscribe({
          next(result) {
            after = result.data?.ticks.cursor ?? after;
            results.push(result);
          },
          error: (error: Error) => results.end(error),
          complete: () => results.end(),
        });
      onTestFinished(() => {
        running.unsubscribe();
        client.stop();
      });
      return { results, leave: () => running.unsubscribe() };
    }

    test('has events, and their end', async () => {
      clock.tick('a');
      const { results } = subscribe();
      expect((await results.next()).value.data).toEqual(tick(1));
      clock.tick('a');
      expect((await results.next()).value.data).toEqual(tick(2));
      clock.end('a');
      expect(await results.next()).toEqual({ done: true, value: undefined });
    });

    test('comes back after a restart, and misses nothing', async () => {
      clock.tick('a');
      const { results } = subscribe();
      expect((await results.next()).value.data).toEqual(tick(1));
      await restart(executor);
      for (const value of [2, 3]) expect((await results.next()).value.data).toEqual(tick(value));
    });

    test('is told why it cannot begin, and why it ends', async () => {
      const refused = await subscribe(wrong).results.next();
      expect(refused.value.error).toBeInstanceOf(CombinedGraphQLErrors);
      expect(refused.value.error.errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
      clock.tick('a');
      const authorization = await issuer.bearer(undefined, 1_500);
      const { results } = subscribe(query, { authorization });
      expect((await results.next()).value.data).toEqual(tick(1));
      const { error } = (await results.next()).value;
      expect(error).toBeInstanceOf(CombinedProtocolErrors);
      expect(error.errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }]);
      expect((await results.next()).done).toBe(true);
    });

    test('leaves when nobody wants to know', async () => {
      clock.tick('a');
      const { results, leave } = subscribe();
      await results.next();
      leave();
      await until(() => clock.listeners() === 0);
    });
  });

  describe("graphql-sse's client", () => {
    const client = (headers: Record<string, string> = {}) =>
      createClient({ url, headers, retry: async () => void (await until(isServed)) });

    test('has events, and their end', async () => {
      clock.tick('a');
      const results = client().iterate({ query });
      expect(await results.next()).toEqual({ done: false, value: { data: tick(1) } });
      clock.tick('a');
      expect((await results.next()).value).toEqual({ data: tick(2) });
      clock.end('a');
      expect(await results.next()).toEqual({ done: true, value: undefined });
    });

    test('comes back after a restart, and misses nothing', async () => {
      clock.tick('a');
      // The client reads this anew whenever it comes back.
      const variables: { after?: string } = {};
      const results = client().iterate<Data>({ query, variables });
      const value = async () => {
        const { data } = (await results.next()).value;
        variables.after = data.ticks.cursor;
        return data.ticks.value;
      };
      expect(await value()).toBe(1);
      const restarted = restart(executor);
      expect([await value(), await value()]).toEqual([2, 3]);
      await restarted;
    });

    test('is told why it cannot begin, and why it ends', async () => {
      const refused = client().iterate({ query: wrong });
      expect((await refused.next()).value).toMatchObject({
        errors: [{ extensions: { code: 'BAD_USER_INPUT' } }],
      });
      expect((await refused.next()).done).toBe(true);
      clock.tick('a');
      const authorization = await issuer.bearer(undefined, 1_500);
      const results = client({ authorization }).iterate({ query });
      expect((await results.next()).value).toEqual({ data: tick(1) });
      expect((await results.next()).value).toMatchObject({
        errors: [{ extensions: { code: 'UNAUTHENTICATED' } }],
      });
      expect((await results.next()).done).toBe(true);
    });

    test('has the answers of queries', async () => {
      const results = client().iterate({ query: '{ now }' });
      expect((await results.next()).value).toEqual({ data: { now: 0 } });
      expect((await results.next()).done).toBe(true);
    });
  });

  test("a browser's EventSource comes back by itself with the last id, and misses nothing", async () => {
    clock.tick('a');
    const source = new EventSource(`${url}?${new URLSearchParams({ query })}`);
    onTestFinished(() => source.close());
    const results = unbounded<unknown>();
    source.addEventListener('next', (event) =>
      results.push(JSON.parse((event as unknown as { data: string }).data)),
    );
    source.addEventListener('complete', () => results.end());
    expect((await results.next()).value).toEqual({ data: tick(1) });
    await restart(executor);
    for (const value of [2, 3]) expect((await results.next()).value).toEqual({ data: tick(value) });
    clock.end('a');
    expect((await results.next()).done).toBe(true);
  });
});
