/**
 * What a fetch costs in a subgraph: orders with their items by `_entities`, from memory, with an access token, in
 * each way that a subgraph can be served, beside the same answer made by hand. `npm run bench:subgraph`. The ways
 * take turns; told is the best of them, since whatever else the machine does can only make it worse.
 * `SECONDS` (2) is how long a turn takes, `TURNS` (5) how many there are.
 */
import { generateKeyPairSync } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { createTokenSigner } from '../../platform/auth/tokens.js';
import { type Measure, type Served, serve } from './served.js';
import { titles, type Way, ways } from './ways.js';

const sizes = [1, 50];
const forMs = Number(process.env['SECONDS'] || 2) * 1000;
const turns = Number(process.env['TURNS'] || 5);

const privateKey = generateKeyPairSync('ed25519')
  .privateKey.export({ type: 'pkcs8', format: 'pem' })
  .toString();
const signer = await createTokenSigner({ privateKey, ttlMs: 3_600_000 });
const { accessToken } = await signer.sign({ id: '00000000-0000-4000-8000-000000000001', role: 'CUSTOMER' });
const served: Served[] = [];
for (const way of ways)
  served.push(await serve(way, { jwks: signer.jwks, authorization: `Bearer ${accessToken}` }));
try {
  await sameAnswers();
  print(await measure());
} finally {
  for (const server of served) server.stop();
}

/** @throws Error where two ways differ: they would not be compared */
async function sameAnswers(): Promise<void> {
  for (const entities of sizes) {
    const answers = await Promise.all(
      served.map(async (server) => JSON.parse(await server.answer(entities))),
    );
    const texts = new Set(answers.map(({ data }) => JSON.stringify(data)));
    if (texts.size > 1) throw new Error(`answers differ: ${[...texts].join('\n')}`);
  }
}

type Results = Map<string, Measure[]>;
function keyOf(way: Way, entities: number): string {
  return `${way} ${entities}`;
}

async function measure(): Promise<Results> {
  const results: Results = new Map();
  for (let turn = 0; turn <= turns; turn++) {
    for (const entities of sizes) {
      for (const server of served) {
        const measured = await server.measure(entities, forMs);
        // The first turn is for the compilers.
        if (turn === 0) continue;
        const key = keyOf(server.way, entities);
        results.set(key, [...(results.get(key) ?? []), measured]);
      }
    }
    console.error(`turn ${turn} of ${turns}`);
  }
  return results;
}

function print(results: Results): void {
  for (const entities of sizes) {
    const of = (way: Way): Measure[] => results.get(keyOf(way, entities)) ?? [];
    const perSecond = (way: Way) => Math.max(...of(way).map((measured) => measured.perSecond));
    const cpuMs = (way: Way) => Math.min(...of(way).map((measured) => measured.cpuMs));
    const rows = [
      [`_entities of ${entities}`, 'requests/s', 'CPU ms each', 'ratio of CPU'],
      ...ways.map((way) => [
        titles[way],
        String(Math.round(perSecond(way))),
        cpuMs(way).toFixed(3),
        (cpuMs('standalone') / cpuMs(way)).toFixed(1),
      ]),
    ];
    for (const cells of rows)
      console.log(cells.map((cell, column) => (column === 0 ? cell.padEnd(28) : cell.padStart(13))).join(''));
    console.log();
  }
  console.log(
    `One core of ${availableParallelism()} for the server that is asked, the rest for who asks; the best of ${turns} turns of ${forMs / 1000} s.`,
  );
}
