import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import type { Browser, Page } from 'playwright-core';
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

  test('the plan of queries and mutations is shown below their answer, where one switches it on', {
    timeout: 60_000,
  }, async () => {
    const { page, run, shown } = await open('{ book(id: "3") { title author { name } } }', {});
    const sent: { query: string; operationName?: string; extensions?: unknown }[] = [];
    page.on('request', (request) => {
      if (request.method() === 'POST') sent.push(request.postDataJSON() as (typeof sent)[number]);
    });
    const plan = page.getByRole('region', { name: 'Query plan' });
    const toggle = page.getByRole('switch', { name: 'Query plan' });
    const told = async () => (await plan.textContent()) ?? '';
    await run();
    await until(async () => (await shown()).includes('Ulysses'));
    expect([await plan.isVisible(), sent.at(-1)?.extensions]).toEqual([false, undefined]);

    await toggle.check();
    expect(await told()).toContain('Run a query');
    await run();
    await until(async () => (await told()).includes('Fetch(service: "authors")'));
    expect(await told()).toMatch(/QueryPlan \{\n +Sequence \{\n/);
    expect(await shown()).toContain('Ulysses');
    expect(await shown()).not.toContain('queryPlan');

    // It covers nothing, and all of it can be seen.
    const box = async (selector: string) => (await page.locator(selector).first().boundingBox()) as Box;
    const switchBox = await box('.doorstep-plan-switch');
    for (const other of ['.graphiql-tabs', '.graphiql-tab-add', '.graphiql-logo', '.result-window'])
      expect([other, overlap(switchBox, await box(other))]).toEqual([other, false]);
    expect(overlap(await box('.doorstep-plan'), await box('.result-window'))).toBe(false);
    await page.setViewportSize({ width: 900, height: 500 });
    const inside = await box('.graphiql-sessions');
    await until(async () => {
      const { y, height } = await box('.doorstep-plan');
      return y + height <= inside.y + inside.height;
    });

    // Another visit, in the dark; the schema is asked for without a plan.
    sent.length = 0;
    const light = await colours(page);
    await page.evaluate(`localStorage.setItem('graphiql:theme', 'dark')`);
    const mutation = 'mutation { rename(id: "1", title: "x") { title } }';
    await page.goto(`${gateway.url}/graphql?query=${encodeURIComponent(mutation)}`);
    await until(() => sent.some(({ operationName }) => operationName === 'IntrospectionQuery'));
    expect(sent.map(({ extensions }) => extensions)).not.toContainEqual({ queryPlan: true });
    expect(await toggle.isChecked()).toBe(true);
    await run();
    await until(async () => (await told()).includes('rename('));
    expect(sent.at(-1)?.extensions).toEqual({ queryPlan: true });
    const dark = await colours(page);
    for (const [ink, paper] of [light, dark]) expect(Math.abs(ink - paper)).toBeGreaterThan(100);
    expect(light[0] < light[1] && dark[0] > dark[1]).toBe(true);

    // The socket of a subscription carries no such wish.
    const frames: string[] = [];
    page.on('websocket', (socket) =>
      socket.on('framesent', ({ payload }) => void frames.push(String(payload))),
    );
    const live = 'subscription { bookAdded { title } }';
    await page.goto(`${gateway.url}/graphql?query=${encodeURIComponent(live)}`);
    await page.waitForSelector('.graphiql-execute-button');
    await run();
    await until(() => library.events.listeners() === 1 && frames.join().includes('bookAdded'));
    expect(frames.join()).not.toContain('queryPlan');
    expect(await told()).toContain('without their plan');
    await toggle.uncheck();
    expect(await plan.isVisible()).toBe(false);
    await page.close();
    await until(() => library.events.listeners() === 0);
  });
});

type Box = { x: number; y: number; width: number; height: number };
const overlap = (a: Box, b: Box): boolean =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

/** How bright the panel's text is and what is behind it, of 255. */
const colours = (page: Page): Promise<[ink: number, paper: number]> =>
  page.evaluate(`['color', 'backgroundColor'].map((name) => {
    const style = getComputedStyle(document.querySelector(name === 'color' ? '.doorstep-plan pre' : '.doorstep-plan'));
    const parts = style[name].match(/[0-9.]+/g).slice(0, 3).map(Number);
    return parts.reduce((sum, part) => sum + part, 0) / 3;
  })`);
