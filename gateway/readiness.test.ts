import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished, test } from 'vitest';
import { until } from '../platform/testing/until.js';
import { watchSubgraph } from './readiness.js';

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
