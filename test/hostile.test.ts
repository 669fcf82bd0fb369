import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { memoryInUse } from '../gateway/testing/garbage.js';
import { errorCodes } from '../platform/errors.js';
import { openSocket } from '../platform/testing/socket.js';
import { createHostility, type HostileRequest, type Target, targets } from './support/hostile/ask.js';
import { expectNoInsides } from './support/leaks.js';
import { createWorld, type World } from './support/matrix/world.js';
import { type System, startSystem } from './support/system.js';

const isLong = process.env['FUZZ'] === 'long';
const seed = process.env['FUZZ_SEED'] ?? (isLong ? String(randomInt(1_000_000)) : '1');
const count = isLong ? 20_000 : 2_000;
const atOnce = 4;
const mostTold = 5;
const progressMs = 5_000;
/** So many are put to one world: an ADMIN's may delete whom it is about. */
const perWorld = 1_000;
const mostGrowth = 1.5;

let system: System;
let world: World;
beforeAll(async () => {
  system = await startSystem({ DELIVERY_SIMULATION: 'off', COURIER_ASSIGNMENT: 'manual', MAX_COST: '2000' });
});
afterAll(() => system?.stop());

const known = new Set<string>([...errorCodes, 'PERSISTED_QUERY_NOT_FOUND', 'PERSISTED_QUERY_NOT_SUPPORTED']);
const urlOf = (target: Target) =>
  target === 'gateway' ? `${system.url}/graphql` : (system.subgraphs.get(target)?.url ?? '');

interface Answer {
  /** Of an HTTP answer; of a WebSocket 200, and 400 where it was closed for what was sent. */
  status: number;
  text: string;
}

function send(request: HostileRequest): Promise<Answer> {
  const token = [undefined, world.tokens.owner, world.tokens.admin][request.token];
  const headers = token ? { authorization: `Bearer ${token}` } : {};
  return request.bySocket ? operate(request, headers) : post(request, headers);
}

async function post({ target, body }: HostileRequest, headers: Record<string, string>): Promise<Answer> {
  const response = await fetch(urlOf(target), {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: new Uint8Array(body),
  });
  return { status: response.status, text: await response.text() };
}

/** What clients may be closed for: what is no message, no UTF-8, or too long; and that they may do no more what they might. */
const refusals = [4400, 1007, 1009, 4403];

/** Nothing that is sent is a subscription that could begin: each is answered once. */
async function operate({ target, body }: HostileRequest, headers: Record<string, string>): Promise<Answer> {
  const socket = await openSocket(urlOf(target), headers);
  try {
    while ((await socket.next()).type !== 'connection_ack');
    socket.write(
      Buffer.concat([Buffer.from('{"id":"1","type":"subscribe","payload":'), body, Buffer.from('}')]),
    );
    let answer = await socket.next();
    while (answer.id === undefined) answer = await socket.next();
    const { type, payload } = answer;
    if (type === 'complete') return { status: 200, text: '{}' };
    return { status: 200, text: JSON.stringify(type === 'error' ? { errors: payload } : payload) };
  } catch {
    const { code, reason } = await socket.closed;
    const errors = [{ message: reason, extensions: { code: 'BAD_USER_INPUT' } }];
    return { status: refusals.includes(code) ? 400 : code, text: JSON.stringify({ errors }) };
  } finally {
    socket.close();
  }
}

const isAnswered = ({ status, text }: Answer): boolean => status < 400 && text.includes('"data"');

/** What is wrong with an answer; undefined where nothing is. */
function wrongWith({ status, text }: Answer): string | undefined {
  if (status >= 500) return `status ${status}`;
  try {
    const { data, errors = [] } = JSON.parse(text) as {
      data?: unknown;
      errors?: { extensions?: { code?: string } }[];
    };
    if (data === undefined && errors.length === 0) return 'neither data nor errors';
    const codes = errors.map(({ extensions }) => extensions?.code ?? 'none');
    const strange = codes.find(
      (code) => !known.has(code) || code === 'INTERNAL_SERVER_ERROR' || code === 'SERVICE_UNAVAILABLE',
    );
    if (strange !== undefined) return `code ${strange}`;
    expectNoInsides(system, text.replaceAll(/"sdl":"(?:[^"\\]|\\.)*"/g, ''));
    return undefined;
  } catch (error) {
    return String((error as Error).message).slice(0, 300);
  }
}

test(`${count} documents and variables, right, nearly right and hostile, break nothing and learn nothing (seed ${seed})`, {
  timeout: isLong ? 6 * 3_600_000 : 600_000,
}, async () => {
  let make: ReturnType<typeof createHostility>;
  const troubles: string[] = [];
  const kinds = new Map<string, number>();
  let next = 0;
  let toldAt = performance.now();

  async function askSome(until: number): Promise<void> {
    while (next < until && troubles.length < mostTold) {
      const name = `${seed}/${next++}`;
      const request = make(name);
      let answer = await send(request);
      // On a machine that is busy with other tests something may come too late, once.
      if (answer.text.includes('SERVICE_UNAVAILABLE')) answer = await send(request);
      const outcome = `${request.target} ${request.kind} ${isAnswered(answer) ? 'answered' : 'refused'}`;
      kinds.set(outcome, (kinds.get(outcome) ?? 0) + 1);
      const wrong = wrongWith(answer);
      if (wrong !== undefined)
        troubles.push(
          `${name}, ${request.target}, ${request.kind}, ${request.bySocket ? 'WebSocket' : 'HTTP'}: ${wrong}\n  ${String(request.body).slice(0, 2_000)}\n  ${answer.text.slice(0, 1_000)}`,
        );
      if (isLong && performance.now() - toldAt > progressMs) {
        toldAt = performance.now();
        console.log(`${next} of ${count}, seed ${seed}`);
      }
    }
  }
  const askAll = (until: number) => Promise.all(Array.from({ length: atOnce }, () => askSome(until)));

  let before = 0;
  for (let end = perWorld; end <= count; end += perWorld) {
    world = await createWorld(system);
    make = createHostility(world.ids);
    await askAll(end);
    // Operations that are kept, compiled: as many as may be are there by now.
    if (end === count / 2) before = (await memoryInUse()).heap;
  }
  expect(troubles.join('\n\n')).toBe('');
  expect((await memoryInUse()).heap / before).toBeLessThan(mostGrowth);
  // Each kind came to each, and some of them went through.
  for (const target of targets)
    for (const kind of [
      'valid answered',
      'hostile values answered',
      'damaged refused',
      'hostile document refused',
    ])
      expect([target, kind, (kinds.get(`${target} ${kind}`) ?? 0) > 0]).toEqual([target, kind, true]);
  for (const target of targets) {
    const body = Buffer.from(JSON.stringify({ query: '{ __typename }' }));
    expect(JSON.parse((await send({ target, token: 0, bySocket: false, body, kind: 'valid' })).text)).toEqual(
      {
        data: { __typename: 'Query' },
      },
    );
  }
});
