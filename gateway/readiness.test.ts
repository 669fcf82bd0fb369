import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { until } from '../platform/testing/until.js';
import { type Readiness, watchSubgraph } from './readiness.js';

/** Watches a subgraph that says so for its page of health, and answers GraphQL. */
async function watchOne(status: number): Promise<Readiness> {
  const server = createServer((request, response) => {
    if (request.method === 'GET') response.writeHead(status).end();
    else response.end('{"data":{"__typename":"Query"}}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const readiness = watchSubgraph({ name: 'authors', url }, () => undefined);
  onTestFinished(async () => {
    await readiness.stop();
    server.close();
  });
  await readiness.known;
  return readiness;
}

test('whoever wants to know is told each time that a subgraph becomes ready', async () => {
  let ready = true;
  const server = createServer((_request, response) =>
    response.writeHead(ready ? 200 : 503).end('{"missing":["postgres"]}'),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  let told = 0;
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`;
  const readiness = watchSubgraph({ name: 'authors', url }, () => told++);
  onTestFinished(async () => {
    await readiness.stop();
    server.close();
  });

  await until('it is told', () => told === 1);
  ready = false;
  await until('it is missed', () => readiness.missing()[0] === 'postgres');
  ready = true;
  await until('it is told again', () => told === 2);
});

test.each([204, 302, 400, 401, 405, 429])(
  'a subgraph without a page of health is ready where it answers GraphQL, also where it says HTTP %s for the page',
  async (status) => {
    expect((await watchOne(status)).missing()).toEqual([]);
  },
);

test.each([500, 502, 503])('one whose page is HTTP %s, and names no parts, is missed', async (status) => {
  expect((await watchOne(status)).missing()).toEqual(['authors']);
});
