import { execFileSync } from 'node:child_process';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { type Browser, chromium } from 'playwright-core';
import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Gateway } from '../index.js';
import { type Issuer, startIssuer, startTestGateway, until } from '../testing/gateway.js';
import { type Library, librarySupergraph, startLibrary } from '../testing/library.js';

let library: Library;
let issuer: Issuer;
let gateway: Gateway;

beforeAll(async () => {
  [library, issuer] = await Promise.all([startLibrary(), startIssuer()]);
  gateway = await startTestGateway({
    supergraph: librarySupergraph(),
    subgraphUrls: library.urls,
    jwksUrl: issuer.jwksUrl,
  });
});
afterAll(async () => {
  await gateway.stop();
  await Promise.all([library.books.stop(), library.authors.stop(), issuer.stop()]);
});

const get = async (headers: Record<string, string>) => {
  const response = await request(`${gateway.url}/graphql`, {
    headers: { accept: 'text/html,application/xhtml+xml', ...headers },
  });
  return {
    status: response.statusCode,
    headers: response.headers,
    body: Buffer.from(await response.body.arrayBuffer()),
  };
};

test('a browser gets the page, compressed as it likes, and once', async () => {
  const plain = await get({});
  expect([plain.status, plain.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
  expect(plain.body.includes('<!doctype html>')).toBe(true);
  const brotli = await get({ 'accept-encoding': 'gzip, deflate, br' });
  const gzip = await get({ 'accept-encoding': 'gzip;q=1.0, deflate' });
  expect([brotli.headers['content-encoding'], gzip.headers['content-encoding']]).toEqual(['br', 'gzip']);
  expect(brotli.body.length).toBeLessThan(3_000_000);
  expect(brotliDecompressSync(brotli.body).equals(plain.body)).toBe(true);
  expect(gunzipSync(gzip.body).equals(plain.body)).toBe(true);
  const again = await get({ 'if-none-match': String(brotli.headers['etag']) });
  expect([again.status, again.body.length]).toEqual([304, 0]);
});

test('a client that wants an answer gets none of it', async () => {
  const response = await request(`${gateway.url}/graphql?query={__typename}`, {
    headers: { accept: 'application/json', 'apollo-require-preflight': '1' },
  });
  expect(await response.body.json()).toEqual({ data: { __typename: 'Query' } });
});

function chromiumPath(): string | undefined {
  try {
    return execFileSync('sh', ['-c', 'command -v chromium']).toString().trim();
  } catch {
    return undefined;
  }
}

const executablePath = chromiumPath();

describe.skipIf(executablePath === undefined && process.env['CI'] !== 'true')('in Chromium', () => {
  let browser: Browser;
  beforeAll(async () => {
    const args =
      '--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync';
    browser = await chromium.launch({
      ...(executablePath !== undefined && { executablePath }),
      args: args.split(' '),
    });
  });
  afterAll(() => browser?.close());

  /** Opens the page with this query and headers in its editors. */
  async function open(query: string, headers: object) {
    const page = await browser.newPage();
    const asked: string[] = [];
    page.on('request', (sent) => asked.push(sent.url()));
    page.on('websocket', (socket) => asked.push(socket.url()));
    const text = JSON.stringify(headers);
    // Where GraphiQL keeps the headers of its last visit.
    await page.addInitScript((kept) => localStorage.setItem('graphiql:headers', kept), text);
    await page.goto(`${gateway.url}/graphql?query=${encodeURIComponent(query)}`);
    await page.waitForSelector('.graphiql-execute-button');
    const shown = () => page.locator('.graphiql-response').textContent();
    return { page, asked, shown, run: () => page.click('.graphiql-execute-button') };
  }

  test('queries and subscriptions run with the headers tab, and nothing is asked of anybody else', {
    timeout: 60_000,
  }, async () => {
    const authorization = await issuer.bearer();
    const whoami = await open('{ whoami { authorization } }', { authorization });
    await whoami.run();
    await until(async () =>
      ((await whoami.shown()) ?? '').replaceAll(/\s/g, '').includes(authorization.replaceAll(/\s/g, '')),
    );

    const live = await open('subscription { bookAdded { title author { token } } }', {
      Authorization: authorization,
    });
    await live.run();
    await until(() => library.events.listeners() === 1);
    library.events.push({ bookAdded: { id: '1', title: 'Kim', author: { id: 'a1' } } });
    await until(async () =>
      ((await live.shown()) ?? '').replaceAll(/\s/g, '').includes(authorization.replaceAll(/\s/g, '')),
    );
    await live.page.click('.graphiql-execute-button');
    await until(() => library.events.listeners() === 0);

    const elsewhere = [...whoami.asked, ...live.asked].filter(
      (url) => !/^(blob|data):/.test(url) && new URL(url).host !== new URL(gateway.url).host,
    );
    expect(elsewhere).toEqual([]);
    await Promise.all([whoami.page.close(), live.page.close()]);
  });
});
