import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createRights } from '../../platform/auth/rights.js';
import { Cancellation } from '../../platform/calls/cancellation.js';
import { metrics } from '../../platform/metrics.js';
import { silent } from '../../platform/testing/log.js';
import { createConnections } from '../connections.js';
import { contextOf } from '../context.js';
import type { Gateway, GatewayOptions } from '../index.js';
import { type Issuer, post, startIssuer, startTestGateway, until } from '../testing/gateway.js';
import { type HeldSubgraph, startHeld } from '../testing/held.js';
import { librarySupergraph } from '../testing/library.js';

const supergraph = librarySupergraph();
const running: (() => Promise<void>)[] = [];
let issuer: Issuer;
let books: HeldSubgraph;
let authors: HeldSubgraph;
beforeAll(async () => {
  issuer = await startIssuer();
});
afterAll(() => issuer.stop());
beforeEach(async () => {
  [books, authors] = await Promise.all([startHeld(), startHeld()]);
});
afterEach(async () => {
  await Promise.all([books.stop(), authors.stop()]);
  for (const stop of running.splice(0)) await stop();
});

async function startGateway(options: Partial<GatewayOptions> = {}): Promise<Gateway> {
  const gateway = await startTestGateway({
    supergraph,
    subgraphUrls: { books: books.url, authors: authors.url },
    jwksUrl: issuer.jwksUrl,
    ...options,
  });
  running.push(gateway.stop);
  return gateway;
}

/** Calls what is given back with a number, and waits until so many more fetches wait for another. */
async function joining(): Promise<(count: number) => Promise<boolean>> {
  const joined = async () =>
    (await metrics.readsJoined.get()).values.reduce((sum, { value }) => sum + value, 0);
  const before = await joined();
  return (count) => until(async () => (await joined()) === before + count);
}
const sent = (subgraph: HeldSubgraph, count: number) => until(() => subgraph.fetches.length === count);

const query = '{ book(id: "1") { title } }';
const titled = (title: string) => ({ data: { book: { __typename: 'Book', id: '1', title } } });
const answered = (title: string) => ({ status: 200, body: { data: { book: { title } } } });

const [alice, bob] = ['0198c5f2-7c1e-7b1a-9a55-3f0c9d3e8a11', '0198c5f2-7c1e-7b1a-9a55-3f0c9d3e8a12'];
const headersOf = async (user: string | undefined) => ({ authorization: await issuer.bearer(user) });

describe('equal reads that are under way', () => {
  test('are fetched once, and all are answered', async () => {
    const gateway = await startGateway();
    const headers = await headersOf(alice);
    const joined = await joining();
    const answers = [1, 2, 3].map(() => post(gateway, query, { headers }));
    await Promise.all([joined(2), sent(books, 1)]);
    expect(books.fetched(0).authorization).toBe(headers.authorization);
    books.fetched(0).answer(titled('Kim'));
    expect(await Promise.all(answers)).toEqual([answered('Kim'), answered('Kim'), answered('Kim')]);
  });

  test('are fetched anew once they are over', async () => {
    const gateway = await startGateway();
    for (const [index, title] of ['Kim', 'Emma'].entries()) {
      const answer = post(gateway, query);
      await sent(books, index + 1);
      books.fetched(index).answer(titled(title));
      expect(await answer).toEqual(answered(title));
    }
  });

  test('do not share what comes of them: each puts its own into its own objects', async () => {
    const gateway = await startGateway();
    const joined = await joining();
    const of = (field: string) => post(gateway, `{ book(id: "1") { author { x: ${field} } } }`);
    const answers = [of('name'), of('born')];
    await Promise.all([joined(1), sent(books, 1)]);
    const author = { __typename: 'Author', id: 'a1' };
    books.fetched(0).answer({ data: { book: { __typename: 'Book', id: '1', author } } });
    await sent(authors, 2);
    for (const fetch of authors.fetches)
      fetch.answer({ data: { _entities: [{ x: fetch.body.includes('born') ? 1865 : 'Kipling' }] } });
    expect((await Promise.all(answers)).map(({ body }) => body)).toEqual([
      { data: { book: { author: { x: 'Kipling' } } } },
      { data: { book: { author: { x: 1865 } } } },
    ]);
  });

  test('all fail where it fails, and the next is sent', async () => {
    const gateway = await startGateway();
    const joined = await joining();
    const answers = [post(gateway, query), post(gateway, query)];
    await Promise.all([joined(1), sent(books, 1)]);
    books.fetched(0).answer([]);
    for (const { body } of await Promise.all(answers))
      expect(body.errors?.[0]?.extensions).toEqual({ code: 'SERVICE_UNAVAILABLE', service: 'books' });
    const next = post(gateway, query);
    await sent(books, 2);
    books.fetched(1).answer(titled('Kim'));
    expect(await next).toEqual(answered('Kim'));
  });

  test('are all sent where that is switched off', async () => {
    const gateway = await startGateway({ dedup: false });
    const answers = [post(gateway, query), post(gateway, query)];
    await sent(books, 2);
    books.fetched(0).answer(titled('Kim'));
    books.fetched(1).answer(titled('Emma'));
    const titles = (await Promise.all(answers)).map(({ body }) => JSON.stringify(body));
    expect(titles.sort()).toEqual(
      [answered('Emma').body, answered('Kim').body].map((body) => JSON.stringify(body)),
    );
  });
});

describe('a read is sent by itself', () => {
  test('for another user, for another token of the same user, and for nobody', async () => {
    const gateway = await startGateway();
    const tokens = [await issuer.bearer(alice), await issuer.bearer(alice), await issuer.bearer(bob), ''];
    const answers = tokens.map((authorization) => post(gateway, query, { headers: { authorization } }));
    await sent(books, 4);
    for (const fetch of books.fetches) fetch.answer(titled(fetch.authorization ?? 'nobody'));
    expect(await Promise.all(answers)).toEqual(tokens.map((token) => answered(token || 'nobody')));
  });

  test('for another body', async () => {
    const gateway = await startGateway();
    const of = (id: string) =>
      post(gateway, 'query ($id: ID!) { book(id: $id) { title } }', { variables: { id } });
    const answers = [of('1'), of('2')];
    await sent(books, 2);
    for (const fetch of books.fetches) fetch.answer(titled(fetch.body.includes('"2"') ? 'Emma' : 'Kim'));
    expect(await Promise.all(answers)).toEqual([answered('Kim'), answered('Emma')]);
  });
});

describe('a mutation', () => {
  const rename = 'mutation { rename(id: "1", title: "Dune") { title } }';
  const renamed = { data: { rename: { __typename: 'Book', id: '1', title: 'Dune' } } };

  test('separates reads of its user: from its begin on, and again from its end on', async () => {
    const gateway = await startGateway();
    const headers = await headersOf(alice);
    const read = () => post(gateway, query, { headers });
    const before = read();
    await sent(books, 1);
    const mutation = post(gateway, rename, { headers });
    await sent(books, 2);
    const during = read();
    await sent(books, 3);
    books.fetched(1).answer(renamed);
    expect((await mutation).body.data).toEqual({ rename: { title: 'Dune' } });
    const after = read();
    await sent(books, 4);
    for (const [index, title] of [
      [0, 'Kim'],
      [2, 'Kim or Dune'],
      [3, 'Dune'],
    ] as const)
      books.fetched(index).answer(titled(title));
    expect(await Promise.all([before, during, after])).toEqual([
      answered('Kim'),
      answered('Kim or Dune'),
      answered('Dune'),
    ]);
  });

  test('that fails separates them too: nobody knows what it has done', async () => {
    const gateway = await startGateway();
    const headers = await headersOf(alice);
    const mutation = post(gateway, rename, { headers });
    await sent(books, 1);
    const during = post(gateway, query, { headers });
    await sent(books, 2);
    books.fetched(0).answer([]);
    expect((await mutation).body.errors).toHaveLength(1);
    const after = post(gateway, query, { headers });
    await sent(books, 3);
    for (const index of [1, 2]) books.fetched(index).answer(titled('Kim'));
    expect(await Promise.all([during, after])).toEqual([answered('Kim'), answered('Kim')]);
  });

  test('of somebody else separates nothing', async () => {
    const gateway = await startGateway();
    const headers = await headersOf(alice);
    const joined = await joining();
    const first = post(gateway, query, { headers });
    await sent(books, 1);
    const mutation = post(gateway, rename, { headers: await headersOf(bob) });
    await sent(books, 2);
    const second = post(gateway, query, { headers });
    await joined(1);
    books.fetched(1).answer(renamed);
    books.fetched(0).answer(titled('Kim'));
    await mutation;
    expect(await Promise.all([first, second])).toEqual([answered('Kim'), answered('Kim')]);
    expect(books.fetches).toHaveLength(2);
  });

  test('is never joined to another', async () => {
    const gateway = await startGateway();
    const mutations = [post(gateway, rename), post(gateway, rename)];
    await sent(books, 2);
    for (const fetch of books.fetches) fetch.answer(renamed);
    await Promise.all(mutations);
  });
});

describe('a reader that goes away', () => {
  /**
   * Asks until it is told to go away. Each has a fetch of its own beside the one that all share: when that is
   * broken off, the gateway knows who went away.
   */
  function client(gateway: Gateway, name: string) {
    const leaving = new AbortController();
    const answer = fetch(`${gateway.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: `{ book(id: "1") { title } ${name}: authors { born } }` }),
      signal: leaving.signal,
    }).then(
      (response) => response.json(),
      () => 'gone',
    );
    const own = () => authors.fetches.find(({ body }) => body.includes(name));
    return {
      answer,
      asked: () => until(() => own() !== undefined),
      answerOwn: () => own()?.answer({ data: { [name]: [] } }),
      async leave() {
        leaving.abort();
        expect(await answer).toBe('gone');
        await until(() => own()?.isClosed() === true);
      },
    };
  }
  async function clientsOf(gateway: Gateway, ...names: string[]) {
    const clients = [];
    for (const name of names) {
      const one = client(gateway, name);
      await one.asked();
      clients.push(one);
    }
    await sent(books, 1);
    return clients as [(typeof clients)[0], (typeof clients)[0], (typeof clients)[0]];
  }

  test('takes nothing from the others, be it the first or not; the last takes the fetch along', async () => {
    const gateway = await startGateway();
    const [first, second, third] = await clientsOf(gateway, 'first', 'second', 'third');
    await first.leave();
    await third.leave();
    expect(books.fetched(0).isClosed()).toBe(false);
    await second.leave();
    await until(() => books.fetched(0).isClosed());
    expect(books.fetches).toHaveLength(1);
  });

  test('leaves its answer to those who wait', async () => {
    const gateway = await startGateway();
    const [first, second] = await clientsOf(gateway, 'first', 'second');
    await first.leave();
    books.fetched(0).answer(titled('Kim'));
    second.answerOwn();
    expect(await second.answer).toEqual({ data: { book: { title: 'Kim' }, second: [] } });
    expect(books.fetches).toHaveLength(1);
  });

  test('and was the last is not joined by who comes then', async () => {
    const gateway = await startGateway();
    const [gone] = await clientsOf(gateway, 'gone');
    await gone.leave();
    await until(() => books.fetched(0).isClosed());
    const next = client(gateway, 'next');
    await Promise.all([next.asked(), sent(books, 2)]);
    books.fetched(1).answer(titled('Kim'));
    next.answerOwn();
    expect(await next.answer).toEqual({ data: { book: { title: 'Kim' }, next: [] } });
  });
});

describe('each reader has its own time', () => {
  /** Reads from one subgraph, each until its own deadline, so many ms from now. */
  function reader(timeoutMs = 60_000) {
    const connections = createConnections({
      log: silent,
      timeoutMs,
      patienceMs: 60_000,
      dedup: true,
      rights: createRights(),
    });
    const { connection, release } = connections.open({ name: 'books', url: books.url });
    running.push(release);
    const request = { body: '{"query":"{ book { title } }"}', isQuery: true, entities: undefined };
    return (ms: number, cancellation?: Cancellation) =>
      connection.source.fetch(request, {
        ...contextOf(null, undefined),
        deadline: performance.now() + ms,
        cancellation,
      });
  }
  const unavailable = { extensions: { code: 'SERVICE_UNAVAILABLE', service: 'books' } };

  test('one that joined late is not failed by the deadline of the first; all who did are served by one fetch', async () => {
    const read = reader();
    const first = read(100);
    const others = [read(60_000), read(60_000), read(60_000)];
    await expect(first).rejects.toMatchObject(unavailable);
    await sent(books, 2);
    books.fetched(1).answer(titled('Kim'));
    expect(await Promise.all(others)).toEqual([titled('Kim'), titled('Kim'), titled('Kim')]);
    expect(books.fetches).toHaveLength(2);
  });

  test('where the subgraph takes too long it is over for all at once, and nobody sends it again', async () => {
    const read = reader(200);
    const all = await Promise.allSettled([1, 2, 3, 4].map(() => read(60_000)));
    for (const one of all) expect(one).toMatchObject({ status: 'rejected', reason: unavailable });
    expect(books.fetches).toHaveLength(1);
  });

  test('one that joined with less time left waits no longer than that, and takes nothing from the first', async () => {
    const read = reader();
    const first = read(60_000);
    await expect(read(100)).rejects.toMatchObject(unavailable);
    await sent(books, 1);
    books.fetched(0).answer(titled('Kim'));
    expect(await first).toEqual(titled('Kim'));
    expect(books.fetches).toHaveLength(1);
  });

  test('one that went away, and whose time is over then, leaves once: the first goes on waiting', async () => {
    const read = reader();
    const first = read(60_000);
    const cancellation = new Cancellation();
    const gone = read(100, cancellation);
    await sent(books, 1);
    cancellation.cancel();
    await expect(gone).rejects.toMatchObject(unavailable);
    books.fetched(0).answer(titled('Kim'));
    expect(await first).toEqual(titled('Kim'));
    expect(books.fetches).toHaveLength(1);
  });

  test('one that comes in the moment in which the last goes away is not joined to what was given up', async () => {
    const read = reader();
    const cancellation = new Cancellation();
    const gone = read(60_000, cancellation);
    await sent(books, 1);
    cancellation.cancel();
    const next = read(60_000);
    await expect(gone).rejects.toMatchObject(unavailable);
    await sent(books, 2);
    books.fetched(1).answer(titled('Kim'));
    expect(await next).toEqual(titled('Kim'));
  });
});
