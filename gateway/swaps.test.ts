import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ExecutionArgs } from 'graphql';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createRights } from '../platform/auth/rights.js';
import { clientAddress } from '../platform/client-address.js';
import { metrics } from '../platform/metrics.js';
import type { SocketContext } from '../platform/sockets.js';
import { type Gate, gate } from '../platform/testing/gate.js';
import { silent } from '../platform/testing/log.js';
import { createConnections } from './connections.js';
import { openGraph } from './graph.js';
import { unlimited } from './guard/guarded.js';
import { createRateLimit } from './guard/rate-limit.js';
import type { startGateway } from './index.js';
import { socketOperations } from './socket-operations.js';
import { type LoadedSupergraph, loadSupergraph } from './supergraph.js';
import { createSwaps } from './swaps.js';
import { openSocket } from './testing/client.js';
import { post, startTestGateway, until } from './testing/gateway.js';
import { startHeld } from './testing/held.js';
import {
  contextualSupergraph,
  ofTheFuture,
  protectedSupergraph,
  unknownFeature,
  withoutPurpose,
} from './testing/protected.js';
import { type Shop, startShop } from './testing/shop.js';

let shop: Shop;
beforeAll(async () => {
  shop = await startShop();
});
afterAll(() => shop.stop());

async function start(options: Partial<Parameters<typeof startGateway>[0]> = {}) {
  const gateway = await startTestGateway({ supergraph: shop.supergraph(), ...options });
  onTestFinished(() => gateway.stop());
  return gateway;
}
const authorOf = async (gateway: { url: string }) =>
  (await post(gateway, '{ book(id: "1") { author { name } } }')).body;
const by = (name: string) => ({ data: { book: { author: { name } } } });
const kept = async () => (await metrics.operationsKept.get()).values[0]?.value ?? 0;
const circuits = async () => (await metrics.circuit.get()).values.map(({ labels }) => labels.part).sort();

test('swaps come after each other, the last one stays, and nothing is left of the others', async () => {
  const gateway = await start({ executor: 'doorstep' });
  await post(gateway, '{ book(id: "1") { title } }');
  const before = await kept();
  await Promise.all(
    Array.from({ length: 10 }, (_, n) =>
      gateway.swap(shop.supergraph({ moved: n % 2 === 0, reviews: n % 3 === 0 })),
    ),
  );
  // The tenth has reviews, and the authors where they were.
  expect(await authorOf(gateway)).toEqual(by('Ann'));
  expect((await post(gateway, '{ book(id: "1") { stars } }')).body).toEqual({ data: { book: { stars: 5 } } });
  await until(async () => (await shop.movedAuthors.connections()) === 0);
  expect(await circuits()).toEqual(['authors', 'books', 'reviews']);
  expect(await kept()).toBe(before + 1);
});

test('one that is refused leaves what is served, and none of its connections', async () => {
  const gateway = await start();
  const moved = shop.supergraph({ moved: true, reviews: true });
  await expect(gateway.swap(moved.replace('name: String!', 'name: Txt!'))).rejects.toThrow(
    'Unknown type Txt',
  );
  await expect(gateway.swap(`${moved} scalar`)).rejects.toThrow(
    'the supergraph cannot be read: Syntax Error',
  );
  expect(await authorOf(gateway)).toEqual(by('Ann'));
  expect(await circuits()).toEqual(['authors', 'books']);
  expect([await shop.movedAuthors.connections(), await shop.reviews.connections()]).toEqual([0, 0]);
});

test('connections of one whose engine cannot be made are closed', async () => {
  const connections = createConnections({
    log: silent,
    timeoutMs: 1_000,
    patienceMs: 60_000,
    dedup: true,
    rights: createRights(),
  });
  const loaded = { ...loadSupergraph(shop.supergraph()), supergraph: {} as LoadedSupergraph['supergraph'] };
  const options = {
    connections,
    executor: 'doorstep',
    introspection: true,
    limits: unlimited,
    log: silent,
  } as const;
  await expect(openGraph(loaded, options)).rejects.toThrow();
  expect(await circuits()).toEqual([]);
});

test('an operation of a socket that has been read when its supergraph is replaced begins on it, and ends', async () => {
  const connections = createConnections({
    log: silent,
    timeoutMs: 1_000,
    patienceMs: 60_000,
    dedup: true,
    rights: createRights(),
  });
  const options = {
    connections,
    executor: 'doorstep',
    introspection: true,
    limits: unlimited,
    log: silent,
  } as const;
  const graph = await openGraph(loadSupergraph(shop.supergraph()), options);
  const { onSubscribe, execute } = socketOperations({
    log: silent,
    graph: () => graph,
    answerWithinMs: 1_000,
    hub: { subscribe: () => () => undefined, renew: () => undefined },
    rate: createRateLimit(Number.POSITIVE_INFINITY),
    clientAddress: clientAddress([]),
  });
  const query = '{ book(id: "1") { author { name } } }';
  const read = await onSubscribe?.(
    { extra: { request: { socket: { remoteAddress: '127.0.0.1' } } } } as SocketContext,
    '1',
    { query },
  );
  const retired = graph.retire();
  const answers = execute?.(read as ExecutionArgs) as AsyncGenerator;
  expect(await circuits()).toEqual(['authors', 'books']);
  expect((await answers.next()).value).toEqual(by('Ann'));
  await retired;
  expect(await circuits()).toEqual([]);
});

test.each(['HTTP', 'a socket'])(
  'what is under way over %s keeps what it has yet to ask, which the new supergraph has not, until it ends',
  async (way) => {
    const books = await startHeld();
    onTestFinished(() => books.stop());
    const supergraph = (parts = {}) => shop.supergraph(parts).replace(shop.books.url, books.url);
    const gateway = await start({ supergraph: supergraph({ reviews: true }) });
    const socket = await openSocket(gateway.url);
    const query = '{ book(id: "1") { stars } }';
    const ask = async () => {
      if (way === 'HTTP') return (await post(gateway, query)).body;
      socket.subscribe('1', query);
      return (await socket.next()).payload;
    };
    const answer = ask();
    await until(() => books.fetches.length === 1);
    await gateway.swap(supergraph());
    expect((await post(gateway, query)).status).toBe(400);
    expect(await circuits()).toEqual(['authors', 'books', 'reviews']);
    books.fetched(0).answer({ data: { book: { __typename: 'Book', id: '1' } } });
    expect(await answer).toEqual({ data: { book: { stars: 5 } } });
    await until(async () => (await circuits()).join() === 'authors,books');
    socket.close();
  },
);

test('one swap waits for the other', async () => {
  const gates = [gate(), gate()];
  const opened: string[] = [];
  const swaps = createSwaps({
    log: silent,
    async open(sdl) {
      opened.push(sdl);
      await gates.shift()?.promise;
      return { retired: Promise.resolve() };
    },
  });
  const [first, second] = gates as [Gate, Gate];
  const done = [swaps.swap('one'), swaps.swap('two')];
  await Promise.resolve();
  expect(opened).toEqual(['one']);
  first.resolve();
  await done[0];
  second.resolve();
  await done[1];
  expect(opened).toEqual(['one', 'two']);
  await swaps.close();
});

test('operations that come over a socket while it is swapped run all the same', async () => {
  const gateway = await start();
  const socket = await openSocket(gateway.url);
  const running: Promise<void>[] = [];
  for (let n = 0; n < 20; n++) {
    running.push(gateway.swap(shop.supergraph({ born: n % 2 === 0 })));
    socket.subscribe(`live ${n}`, 'subscription { bookAdded { author { name } } }');
    socket.subscribe(`once ${n}`, '{ book(id: "1") { author { name } } }');
    const [data, end] = [await socket.next(), await socket.next()];
    expect([data.payload, end.type]).toEqual([by('Ann'), 'complete']);
  }
  await Promise.all(running);
  await until(() => shop.added.listeners() === 1);
  shop.added.push({ bookAdded: { id: '2', author: { id: 'a' } } });
  const ids = new Set<unknown>();
  for (let n = 0; n < 20; n++) {
    const { id, payload } = await socket.next();
    expect(payload).toEqual({ data: { bookAdded: { author: { name: 'Ann' } } } });
    ids.add(id);
  }
  expect(ids.size).toBe(20);
  socket.close();
  await until(() => shop.added.listeners() === 0);
});

test('one that is under way when the gateway stops is closed too, and none begins after that', async () => {
  const gateway = await start();
  expect(await authorOf(gateway)).toEqual(by('Ann'));
  const swapped = gateway.swap(shop.supergraph({ moved: true, reviews: true }));
  const late = gateway.stop().then(() => gateway.swap(shop.supergraph()));
  await expect(late).rejects.toThrow('stopping');
  await swapped;
  expect(await circuits()).toEqual([]);
  for (const subgraph of [shop.books, shop.authors, shop.movedAuthors, shop.reviews])
    await until(async () => (await subgraph.connections()) === 0);
});

test('what an old address has yet to answer is not waited for at the new one', async () => {
  let asked = 0;
  const deaf = createServer((request) => void (request.method === 'POST' && asked++));
  await new Promise<void>((resolve) => deaf.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    deaf.closeAllConnections();
    deaf.close();
  });
  const away = `http://127.0.0.1:${(deaf.address() as AddressInfo).port}/graphql`;
  const gateway = await start({
    supergraph: shop.supergraph().replace(shop.authors.url, away),
    subgraphTimeoutMs: 60_000,
    writeTimeoutMs: 0,
  });
  const waiting = authorOf(gateway);
  await until(() => asked > 0);
  await gateway.swap(shop.supergraph({ moved: true }));
  expect(await authorOf(gateway)).toEqual(by('Ann, moved'));
  deaf.closeAllConnections();
  deaf.close();
  expect(await waiting).toMatchObject({ errors: [{ extensions: { code: 'SERVICE_UNAVAILABLE' } }] });
});

describe.each(['doorstep', 'apollo'] as const)('%s: what is not enforced is not served', (executor) => {
  const refused = (feature: string) =>
    `the supergraph protects fields by https://specs.apollo.dev/${feature}/v0.2, which this gateway does not enforce: it is not served`;
  const unknown = (purpose: string) =>
    `the supergraph needs https://specs.example.org/magic/v0.1 (for: ${purpose}), which this gateway does not know: it is not served`;

  test.each(['@authenticated', '@requiresScopes', '@policy'] as const)(
    'a later version of %s',
    async (protection) => {
      const supergraph = ofTheFuture(protectedSupergraph(protection));
      expect(withoutPurpose(supergraph)).not.toBe(supergraph);
      for (const sdl of [supergraph, withoutPurpose(supergraph)])
        await expect(startTestGateway({ supergraph: sdl, executor })).rejects.toThrow(
          expect.objectContaining({ message: refused(protection.slice(1)) }),
        );
    },
  );

  // The planner plans it; what is fetched by its plans would lack the argument, silently.
  test('arguments from the context', async () => {
    const supergraph = contextualSupergraph();
    expect(withoutPurpose(supergraph)).not.toBe(supergraph);
    for (const sdl of [supergraph, withoutPurpose(supergraph)])
      await expect(startTestGateway({ supergraph: sdl, executor })).rejects.toThrow(
        'https://specs.apollo.dev/context/v0.1',
      );
  });

  test.each(['SECURITY', 'EXECUTION'] as const)('a feature that is unknown, for %s', async (purpose) => {
    const supergraph = unknownFeature(shop.supergraph(), purpose);
    await expect(startTestGateway({ supergraph, executor })).rejects.toThrow(
      expect.objectContaining({ message: unknown(purpose) }),
    );
    const gateway = await start({ executor });
    await expect(gateway.swap(supergraph)).rejects.toThrow(unknown(purpose));
    expect(await authorOf(gateway)).toEqual(by('Ann'));
  });
});
