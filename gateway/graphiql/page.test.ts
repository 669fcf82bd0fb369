import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import type { Browser } from 'playwright-core';
import { request } from 'undici';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchBrowser, openGraphiQL } from '../../platform/testing/browser.js';
import { needs } from '../../platform/testing/needs.js';
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

needs('chromium')('in Chromium', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());

  const open = (query: string, headers: Record<string, string>) =>
    openGraphiQL(browser, gateway.url, { query, headers });

  test('queries and subscriptions run with the headers tab, and nothing is asked of anybody else', {
    timeout: 60_000,
  }, async () => {
    const authorization = await issuer.bearer();
    const whoami = await open('{ whoami { authorization } }', { authorization });
    await whoami.run();
    await until(async () => (await whoami.shown()).includes(authorization.replaceAll(/\s/g, '')));

    const live = await open('subscription { bookAdded { title author { token } } }', {
      Authorization: authorization,
    });
    await live.run();
    await until(() => library.events.listeners() === 1);
    library.events.push({ bookAdded: { id: '1', title: 'Kim', author: { id: 'a1' } } });
    await until(async () => (await live.shown()).includes(authorization.replaceAll(/\s/g, '')));
    await live.page.click('.graphiql-execute-button');
    await until(() => library.events.listeners() === 0);

    const elsewhere = [...whoami.asked, ...live.asked].filter(
      (url) => !/^(blob|data):/.test(url) && new URL(url).host !== new URL(gateway.url).host,
    );
    expect(elsewhere).toEqual([]);
    await Promise.all([whoami.page.close(), live.page.close()]);
  });
});
