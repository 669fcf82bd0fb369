import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { catalogue } from './catalogue.js';
import { type Outcome, run } from './run.js';
import { type BareServer, startBare } from './testing/bare.js';
import { failedByGraphqlWs } from './testing/broken/index.js';

let server: BareServer;
beforeAll(async () => {
  server = await startBare();
});
// It prints what it did not expect.
beforeEach(() => void vi.spyOn(console, 'error').mockReturnValue());
afterAll(() => server.stop());

const notOk = (outcomes: Outcome[]) =>
  outcomes
    .filter(({ verdict }) => verdict !== 'ok')
    .map(({ audit, verdict, why }) => `${verdict} ${audit.id}: ${why}`);
const itsOwn = Object.keys(failedByGraphqlWs).map((id) =>
  expect.stringMatching(new RegExp(`^not ok ${id}: `)),
);

test('graphql-ws passes the audits of its protocol, but for what is known of it', async () => {
  expect(notOk(await run(server.target, catalogue))).toEqual(itsOwn);
});

test('audits that run at once do not mind the changes that others make', async () => {
  const audits = catalogue.filter(({ id }) => /^(complete|subscription|resume)\//.test(id));
  const outcomes = await run({ ...server.target, stream: server.sharedStream }, audits, { atOnce: 50 });
  expect(notOk(outcomes)).toEqual(itsOwn.slice(5));
});

test('what cannot be audited is skipped, with a reason', async () => {
  const { stream, finite, slowQuery, refusedInit, ...rest } = server.target;
  const outcomes = await run({ ...rest, initTimeoutMs: null }, catalogue);
  const skipped = outcomes.filter(({ verdict }) => verdict === 'skipped');
  expect(new Set(skipped.map(({ why }) => why))).toEqual(
    new Set([
      'no payload is given that the server refuses',
      'timeouts are not waited for',
      'no subscription is given that stays open',
      'no subscription is given that completes by itself',
      'no slow query is given',
    ]),
  );
  expect([stream, finite, slowQuery, refusedInit]).not.toContain(undefined);
});
