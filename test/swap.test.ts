import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openSocket, type SocketClient } from '../gateway/testing/client.js';
import { ofTheFuture, protectedSupergraph, withoutPurpose } from '../gateway/testing/protected.js';
import { type Shop, startShop } from '../gateway/testing/shop.js';
import { until } from '../platform/testing/until.js';
import { runDoorstep, temporaryFolder } from './support/process.js';

/** A gateway of its own process on a supergraph file, under a load that never rests. */
async function startServed(shop: Shop, GATEWAY_EXECUTOR: string) {
  const DATA_DIR = await temporaryFolder(onTestFinished);
  const SUPERGRAPH_PATH = join(DATA_DIR, 'supergraph.graphql');
  const write = (sdl: string) => writeFile(SUPERGRAPH_PATH, sdl);
  await write(shop.supergraph());
  const { child, ready, ended, output } = runDoorstep(['gateway'], {
    ...{ DATA_DIR, SUPERGRAPH_PATH, GATEWAY_EXECUTOR, HOST: '127.0.0.1', LOG_LEVEL: 'info' },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const url = await ready;
  const metricsUrl = /Metrics +(\S+)/.exec(output())?.[1] ?? '';

  async function ask(query: string) {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json' },
      body: JSON.stringify({ query }),
    });
    return { status: response.status, body: (await response.json()) as { data?: unknown; errors?: unknown } };
  }

  const wrong: unknown[] = [];
  let answered = 0;
  let isOver = false;
  async function work(): Promise<void> {
    while (!isOver) {
      // Some of it is known, some must be planned.
      const query = `{ book(id: "1") { t${answered % 7}: title author { name } } }`;
      const answer = await ask(query).catch((error: unknown) => ({ status: 0, body: { errors: error } }));
      if (answer.status !== 200 || answer.body.errors) wrong.push(answer);
      const healthy = await fetch(`${url}/health/ready`).catch((error: unknown) => ({ status: error }));
      if (healthy.status !== 200) wrong.push(healthy);
      answered++;
    }
  }
  const load = Promise.all(Array.from({ length: 4 }, work));
  return {
    ...{ child, ended, output, url, ask, write, wrong },
    data: async (query: string) => (await ask(query)).body.data,
    isRefused: async (query: string) => (await ask(query)).status === 400,
    /** Some more of the load is answered. */
    async moreLoad() {
      const before = answered;
      await until('the load goes on', () => answered > before + 40);
    },
    async endLoad() {
      isOver = true;
      await load;
    },
    circuits: async () =>
      [...(await (await fetch(metricsUrl)).text()).matchAll(/^circuit_state\{part="(\w+)"\} 0$/gm)]
        .map(([, part]) => part)
        .sort(),
    says: (text: string | RegExp, times = 1) =>
      until(`it says ${text}`, () => output().split(text).length === times + 1),
  };
}

async function eventOf(socket: SocketClient): Promise<unknown> {
  const { type, payload } = await socket.next();
  expect(type).toBe('next');
  return payload;
}

test.each(['doorstep', 'apollo'])(
  '%s: supergraphs come and go, and no request and no event is lost',
  {
    timeout: 120_000,
  },
  async (executor) => {
    const shop = await startShop();
    onTestFinished(shop.stop);
    const { write, ask, data, isRefused, says, moreLoad, ...served } = await startServed(shop, executor);
    const name = (text: string) => ({ data: { bookAdded: { author: { name: text } } } });
    const push = (socket: SocketClient) => {
      shop.added.push({ bookAdded: { id: '1', title: 'New', author: { id: 'a' } } });
      return eventOf(socket);
    };
    const first = await openSocket(served.url);
    first.subscribe('1', 'subscription { bookAdded { author { name } } }');
    await until('it runs', () => shop.added.listeners() === 1);
    expect(await push(first)).toEqual(name('Ann'));

    const book = '{ book(id: "1") { title author { name } } }';
    await moreLoad();
    const atFirst = shop.books.counted.connections;

    const born = '{ book(id: "1") { author { born } } }';
    expect(await isRefused(born)).toBe(true);
    await write(shop.supergraph({ born: true }));
    await says('a new supergraph is served');
    expect(await data(born)).toEqual({ book: { author: { born: 1900 } } });
    await moreLoad();

    await write(shop.supergraph({ reviews: true }));
    await says('a new supergraph is served', 2);
    expect(await isRefused(born)).toBe(true);
    expect(await data('{ book(id: "1") { stars } }')).toEqual({ book: { stars: 5 } });
    expect(await served.circuits()).toEqual(['authors', 'books', 'reviews']);
    const reader = await openSocket(served.url);
    reader.subscribe('1', 'subscription { reviewed { stars title } }');
    await until('it runs', () => shop.reviewed.listeners() === 1);
    await moreLoad();

    for (const [broken, reason] of [
      [shop.supergraph({ born: true }).slice(0, 700), 'Syntax Error'],
      [shop.supergraph({ born: true }).replace('name: String!', 'name: Txt!'), 'Unknown type Txt'],
      [ofTheFuture(protectedSupergraph('@authenticated')), 'protects fields by'],
      [withoutPurpose(ofTheFuture(protectedSupergraph('@policy'))), 'policy/v0.2'],
    ] as const) {
      await write(broken);
      await says(reason);
      expect(await data('{ book(id: "1") { stars } }')).toEqual({ book: { stars: 5 } });
    }
    await says('a new supergraph is refused', 4);
    await moreLoad();

    await write(shop.supergraph({ moved: true }));
    await says('a new supergraph is served', 3);
    expect(await isRefused('{ book(id: "1") { stars } }')).toBe(true);
    expect(await data(book)).toEqual({ book: { title: 'Book 1', author: { name: 'Ann, moved' } } });
    const second = await openSocket(served.url);
    second.subscribe('1', 'subscription { bookAdded { author { name } } }');
    await until('it runs', () => shop.added.listeners() === 2);

    // What the new supergraph has too goes on by it; what it has not ends with the reason.
    expect(await push(first)).toEqual(name('Ann, moved'));
    expect(await eventOf(second)).toEqual(name('Ann, moved'));
    expect(await reader.next()).toMatchObject({
      type: 'error',
      payload: [{ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }],
    });
    await moreLoad();

    // Nothing keeps what the old one had alone, while what is shared has been there all the time.
    first.send({ id: '1', type: 'complete' });
    await until('reviews are left', async () => (await shop.reviews.connections()) === 0);
    await until('the old authors are left', async () => (await shop.authors.connections()) === 0);
    expect(await served.circuits()).toEqual(['authors', 'books']);
    expect(await push(second)).toEqual(name('Ann, moved'));
    await moreLoad();
    // The socket, the one that asks whether it is ready, and one for fetches: others may have been idle too long.
    expect(atFirst - shop.books.counted.ended).toBeGreaterThanOrEqual(3);
    expect([shop.books.counted.sockets, shop.reviews.counted.sockets]).toEqual([1, 1]);

    await served.endLoad();
    expect(served.wrong).toEqual([]);
    served.child.kill('SIGTERM');
    expect(await served.ended).toBe(0);
    expect(served.output()).not.toContain('could not be closed');
  },
);

test('a supergraph without a subgraph that SUBGRAPH_URLS names is refused, and the old one stays', async () => {
  const shop = await startShop();
  onTestFinished(shop.stop);
  const DATA_DIR = await temporaryFolder(onTestFinished);
  const SUPERGRAPH_PATH = join(DATA_DIR, 'supergraph.graphql');
  await writeFile(SUPERGRAPH_PATH, shop.supergraph({ reviews: true }));
  const SUBGRAPH_URLS = JSON.stringify({ reviews: shop.reviews.url });
  const { child, ready, output } = runDoorstep(['gateway'], { DATA_DIR, SUPERGRAPH_PATH, SUBGRAPH_URLS });
  onTestFinished(() => void child.kill('SIGKILL'));
  const url = await ready;
  await writeFile(SUPERGRAPH_PATH, shop.supergraph());
  await until('it says why', () =>
    output().includes("the supergraph has no subgraph 'reviews', for which an address is given"),
  );
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"query":"{ book(id: 1) { stars } }"}',
  });
  expect(await response.json()).toEqual({ data: { book: { stars: 5 } } });
});

const plain = (sdl: string) => sdl;
test.each([
  ['gateway', 'doorstep', '@authenticated', plain],
  ['all', 'apollo', '@requiresScopes', plain],
  ['all', 'doorstep', '@policy', withoutPurpose],
  ['gateway', 'apollo', '@authenticated', withoutPurpose],
] as const)(
  '%s, %s: a supergraph with a later version of %s stops the start with one line: %o',
  async (...given) => {
    const [command, executor, protection, edit] = given;
    const DATA_DIR = await temporaryFolder(onTestFinished);
    const SUPERGRAPH_PATH = join(DATA_DIR, 'supergraph.graphql');
    await writeFile(SUPERGRAPH_PATH, edit(ofTheFuture(protectedSupergraph(protection))));
    const env = { DATA_DIR, SUPERGRAPH_PATH, GATEWAY_EXECUTOR: executor };
    const { ended, output } = runDoorstep([command], env);
    expect(await ended).toBe(1);
    expect(output()).toBe(
      `doorstep: the supergraph protects fields by https://specs.apollo.dev/${protection.slice(1)}/v0.2, which this gateway does not enforce: it is not served\n`,
    );
  },
);
