/**
 * All subgraphs in one process, each on a port of its own, answering from memory: a request that was seen before
 * is looked up by its bytes, any other is executed by graphql-js first. Tells its ports as a message once it
 * listens; GET /counts, at any of them, says how many fetches there have been.
 */
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { execute, type GraphQLSchema, parse } from 'graphql';
import { messageReader } from '../http1.js';
import { resolvers } from '../resolvers.js';
import { type SubgraphName, subgraphNames, subgraphs } from '../schema.js';

/** A contestant that never asks the same twice would be measured with our graphql-js, and fill the memory. */
const mostAnswers = 5_000;

const counts = { fetches: 0, distinct: 0, withoutToken: 0 };

function start(name: SubgraphName): Promise<number> {
  const schema = buildSubgraphSchema([{ typeDefs: parse(subgraphs[name]), resolvers: resolvers[name] }]);
  const answers = new Map<string, Buffer>();

  function answer(socket: Socket, head: string, body: Buffer): void {
    if (head.startsWith('GET ')) {
      socket.write(withHead(JSON.stringify(counts)));
      return;
    }
    counts.fetches += 1;
    if (!/\r\nauthorization: *Bearer /i.test(head)) counts.withoutToken += 1;
    const key = body.toString('latin1');
    const known = answers.get(key);
    if (known) {
      socket.write(known);
      return;
    }
    void execution(schema, body.toString()).then((text) => {
      counts.distinct += 1;
      const bytes = withHead(text);
      if (answers.size < mostAnswers) answers.set(key, bytes);
      socket.write(bytes);
    });
  }

  const server = createServer({ noDelay: true }, (socket) => {
    const reader = messageReader((head, body) => answer(socket, head, body));
    socket.on('data', reader);
    socket.on('error', () => socket.destroy());
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

async function execution(schema: GraphQLSchema, body: string): Promise<string> {
  const { query, variables, operationName } = JSON.parse(body);
  return JSON.stringify(
    await execute({ schema, document: parse(query), variableValues: variables, operationName }),
  );
}

const withHead = (text: string): Buffer =>
  Buffer.from(
    `HTTP/1.1 200 OK\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
  );

const ports = await Promise.all(subgraphNames.map(async (name) => [name, await start(name)] as const));
process.send?.(Object.fromEntries(ports));
process.on('disconnect', () => process.exit());
