import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { memoryInUse } from '../gateway/testing/garbage.js';
import { errorCodes } from '../platform/errors.js';
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
/** Operations that are kept, compiled: as many as may be are there after that part of all of them. */
const warm = 0.5;
const mostGrowth = 1.5;

let system: System;
let world: World;
beforeAll(async () => {
  system = await startSystem({ DELIVERY_SIMULATION: 'off', COURIER_ASSIGNMENT: 'manual', MAX_COST: '2000' });
  world = await createWorld(system);
});
afterAll(() => system?.stop());

const known = new Set<string>([...errorCodes, 'PERSISTED_QUERY_NOT_FOUND', 'PERSISTED_QUERY_NOT_SUPPORTED']);
const urlOf = (target: Target) =>
  target === 'gateway' ? `${system.url}/graphql` : (system.subgraphs.get(target)?.url ?? '');

async function send({ target, token, body }: HostileRequest): Promise<{ status: number; text: string }> {
  const { owner, admin } = world.tokens;
  const authorization = [undefined, owner, admin][token];
  const response = await fetch(urlOf(target), {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(authorization && { authorization: `Bearer ${authorization}` }),
    },
    body: new Uint8Array(body),
  });
  return { status: response.status, text: await response.text() };
}

/** What is wrong with an answer; undefined where nothing is. */
function wrongWith({ status, text }: { status: number; text: string }): string | undefined {
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
  const make = createHostility(world.ids);
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
      const outcome = `${request.target} ${request.kind} ${answer.status < 400 ? 'answered' : 'refused'}`;
      kinds.set(outcome, (kinds.get(outcome) ?? 0) + 1);
      const wrong = wrongWith(answer);
      if (wrong !== undefined)
        troubles.push(
          `${name}, ${request.target}, ${request.kind}: ${wrong}\n  ${String(request.body).slice(0, 2_000)}\n  ${answer.text.slice(0, 1_000)}`,
        );
      if (isLong && performance.now() - toldAt > progressMs) {
        toldAt = performance.now();
        console.log(`${next} of ${count}, seed ${seed}`);
      }
    }
  }
  const askAll = (until: number) => Promise.all(Array.from({ length: atOnce }, () => askSome(until)));

  await askAll(count * warm);
  const before = (await memoryInUse()).heap;
  await askAll(count);
  expect(troubles.join('\n\n')).toBe('');
  if (isLong) expect((await memoryInUse()).heap / before).toBeLessThan(mostGrowth);
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
    expect(JSON.parse((await send({ target, token: 0, body, kind: 'valid' })).text)).toEqual({
      data: { __typename: 'Query' },
    });
  }
});
