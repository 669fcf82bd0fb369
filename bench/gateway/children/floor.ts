/**
 * What the answers cost with no GraphQL at all: node:http, the fetches of Apollo's plans over undici, as parallel
 * as those and each entity asked for once, JSON, and plain JavaScript that knows both queries (assemble.ts).
 * `node floor.js fetches.json port`
 */
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { Pool } from 'undici';
import { type Ask, answerBig, answerSmall } from '../floor/assemble.js';
import type { FloorFetches } from '../floor/fetches.js';
import type { QueryName } from '../queries.js';

const [file = '', port] = process.argv.slice(2);
const { urls, fetches } = JSON.parse(readFileSync(file, 'utf8')) as FloorFetches;

const pools = new Map(
  Object.entries(urls).map(([subgraph, url]) => [
    subgraph,
    new Pool(new URL(url).origin, { connections: 64 }),
  ]),
);

/** For each fetch of a plan, by subgraph and path, what sends it. */
function senders(query: QueryName) {
  return new Map(
    fetches[query].map(({ subgraph, path, operation }) => {
      const pool = pools.get(subgraph) as Pool;
      const prefix = `{"query":${JSON.stringify(operation)},"variables":`;
      const send = async (variables: unknown, authorization: string): Promise<unknown> => {
        const { body } = await pool.request({
          path: '/graphql',
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization },
          body: `${prefix}${JSON.stringify(variables)}}`,
        });
        return (JSON.parse(await body.text()) as { data: unknown }).data;
      };
      return [`${subgraph} ${path}`, send] as const;
    }),
  );
}

const sendersOf = { small: senders('small'), big: senders('big') };

function asker(query: QueryName, authorization: string): Ask {
  const all = sendersOf[query];
  return (subgraph, path, variables) => {
    const send = all.get(`${subgraph} ${path}`);
    if (!send) throw new Error(`the plan of ${query} has no fetch from ${subgraph} at ${path}`);
    return send(variables, authorization);
  };
}

async function answer(body: string, authorization: string): Promise<string> {
  const { operationName, variables } = JSON.parse(body);
  const data =
    operationName === 'Small'
      ? await answerSmall(asker('small', authorization), variables)
      : await answerBig(asker('big', authorization), variables);
  return JSON.stringify({ data });
}

function read(request: IncomingMessage, then: (body: string) => void): void {
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (text: string) => {
    body += text;
  });
  request.on('end', () => then(body));
}

createServer((request, response) => {
  read(request, (body) => {
    answer(body, request.headers.authorization ?? '').then(
      (text) => {
        response.writeHead(200, {
          'content-type': 'application/json; charset=utf-8',
          'content-length': Buffer.byteLength(text),
        });
        response.end(text);
      },
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
}).listen(Number(port), '127.0.0.1');
