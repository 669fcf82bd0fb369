import { beforeEach, expect, test, vi } from 'vitest';
import { catalogue } from './catalogue.js';
import { run } from './run.js';
import { startBare } from './testing/bare.js';
import { brokenServers, failedByGraphqlWs } from './testing/broken/index.js';

// graphql-ws prints what it did not expect, too.
beforeEach(() => void vi.spyOn(console, 'error').mockReturnValue());

test.concurrent.each(brokenServers)('a server that $name', async ({ fails, ...differences }) => {
  const server = await startBare(differences);
  const audits = catalogue.filter(({ id }) => fails.includes(id));
  expect(audits.map(({ id }) => id).sort()).toEqual([...new Set(fails)].sort());
  const outcomes = await run({ ...server.target, patienceMs: 500, initTimeoutMs: 1_000 }, audits, {
    atOnce: 100,
  });
  await server.stop();
  const ok = outcomes
    .filter(({ verdict }) => verdict !== 'not ok')
    .map(({ audit, why }) => `${audit.id} ${why}`);
  expect(ok).toEqual([]);
});

test('every audit is failed by a server that is broken', () => {
  const failed = new Set([...brokenServers.flatMap(({ fails }) => fails), ...Object.keys(failedByGraphqlWs)]);
  expect(catalogue.map(({ id }) => id).filter((id) => !failed.has(id))).toEqual([]);
});

test('no two audits have the same id', () => {
  expect(new Set(catalogue.map(({ id }) => id)).size).toBe(catalogue.length);
});
