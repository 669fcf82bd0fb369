import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { people } from './data/people.js';
import { places } from './data/places.js';
import { products } from './data/products.js';
import { reviews } from './data/reviews.js';
import { rootsOf } from './data/roots.js';
import { worldOf } from './data/rows.js';
import { hideInterfaceNames } from './interface-objects.js';
import { answerOf, readRequest } from './requests.js';
import { createSubgraph, type Fetch, type Subgraph } from './subgraph.js';
import { bazaarSdl, bazaarSupergraph } from './supergraph.js';

export interface Bazaar {
  supergraph: string;
  /** Where each subgraph is. */
  urls: Record<string, string>;
  /** How many fetches each got since this was asked last. */
  fetches(): Record<string, number>;
  stop(): Promise<void>;
}

/** Starts all subgraphs of the bazaar over HTTP, each on a port of its own. */
export async function startBazaar(): Promise<Bazaar> {
  const world = worldOf([people, products, places, reviews]);
  const roots = rootsOf(world);
  let counts: Record<string, number> = {};
  const servers = await Promise.all(
    Object.entries(bazaarSdl).map(async ([name, sdl]) => {
      const subgraph = createSubgraph(name, sdl, roots[name] ?? { Query: {} }, world);
      const server = createServer((request, response) => {
        if (request.method !== 'POST') return void response.end();
        counts[name] = (counts[name] ?? 0) + 1;
        void serve(name, subgraph, request, response);
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return { name, server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql` };
    }),
  );
  return {
    supergraph: bazaarSupergraph(),
    urls: Object.fromEntries(servers.map(({ name, url }) => [name, url])),
    fetches() {
      const before = counts;
      counts = {};
      return before;
    },
    async stop() {
      for (const { server } of servers) server.closeAllConnections();
      await Promise.all(servers.map(({ server }) => new Promise((resolve) => server.close(resolve))));
    },
  };
}

async function serve(
  name: string,
  subgraph: Subgraph,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const id = String(request.headers['x-request-id'] ?? '');
  const { context, outage, hidesInterfaceNames } = readRequest(name, id);
  const fetch = JSON.parse(Buffer.concat(chunks).toString()) as Fetch;
  const result = await subgraph(fetch, context);
  if (hidesInterfaceNames) hideInterfaceNames(result, hidesInterfaceNames === 'within');
  const answer = answerOf(result, outage);
  // A subgraph that hangs is cut off by the gateway, or by the end of the test.
  if (answer) response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body);
}
