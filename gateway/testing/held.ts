import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A fetch that waits for its answer, for as long as the test likes. */
export interface HeldFetch {
  body: string;
  authorization: string | undefined;
  headers: IncomingHttpHeaders;
  /** Whether it was broken off by who sent it. */
  isClosed(): boolean;
  answer(response: object): void;
}

/** A subgraph that answers only when it is told to. */
export interface HeldSubgraph {
  url: string;
  /** All that were sent to it, in their order. */
  fetches: HeldFetch[];
  /** The fetch of this number, once it came. */
  fetched(index: number): HeldFetch;
  stop(): Promise<void>;
}

/** It is ready, as its health page says, from the start. */
export async function startHeld(): Promise<HeldSubgraph> {
  const fetches: HeldFetch[] = [];
  const server = createServer((request, response) => {
    if (request.method === 'GET') return void response.end('{"status":"ready"}');
    let body = '';
    request
      .setEncoding('utf8')
      .on('data', (chunk: string) => (body += chunk))
      .on('end', () => fetches.push(held(body, request.headers, response)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`,
    fetches,
    fetched(index) {
      const fetch = fetches[index];
      if (!fetch) throw new Error(`only ${fetches.length} fetches came`);
      return fetch;
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function held(body: string, headers: IncomingHttpHeaders, response: ServerResponse): HeldFetch {
  let isClosed = false;
  response.once('close', () => {
    isClosed = !response.writableFinished;
  });
  return {
    body,
    authorization: headers.authorization,
    headers,
    isClosed: () => isClosed,
    answer: (given) => void response.setHeader('content-type', 'application/json').end(JSON.stringify(given)),
  };
}
