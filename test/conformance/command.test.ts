import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { projectPath } from '../../platform/root.js';
import { freePort } from '../../platform/testing/ports.js';
import { startScript } from '../../platform/testing/script.js';
import { catalogue } from './catalogue.js';
import { command } from './command.js';
import { tableOf } from './report.js';
import { type BareServer, startBare } from './testing/bare.js';

let server: BareServer;
beforeAll(async () => {
  // graphql-ws prints what it did not expect.
  vi.spyOn(console, 'error').mockReturnValue();
  server = await startBare();
});
afterAll(() => server.stop());

async function told(...args: string[]): Promise<{ code: number; lines: string[] }> {
  const lines: string[] = [];
  const code = await command(args, (line) => lines.push(...line.split('\n')));
  return { code, lines };
}

const documents = [
  ...['--subscription', 'subscription ($after: String) { changed(after: $after) { cursor } }'],
  ...['--change', 'mutation { change }', '--cursor', 'changed.cursor', '--resume', 'after'],
];

test('each audit has a line, and the last line counts them', async () => {
  const { code, lines } = await told(server.target.url, '--only', 'heartbeat/');
  expect(lines).toHaveLength(12 + 1);
  expect(lines[0]).toBe('ok      MUST   heartbeat/before-init: answers a ping before connection_init');
  expect(lines).toContain('               no subscription is given that stays open');
  expect(lines.at(-1)).toBe('11 audits: 10 ok, 0 MUST and 0 SHOULD not ok, 1 skipped');
  expect(code).toBe(0);
});

test('a MUST that is not ok ends it with 1, and has a reason; a SHOULD does not', async () => {
  const id = 'subscription/duplicate-of-long-id';
  const { code, lines } = await told(server.target.url, '--only', id, ...documents);
  expect(lines.slice(0, 2)).toEqual([
    expect.stringMatching(`^not ok  MUST   ${id}: `),
    expect.stringMatching(/^ {15}the socket is closed with 4409; got 4500/),
  ]);
  expect(code).toBe(1);
  expect((await told(server.target.url, '--only', 'operation/syntax-error')).code).toBe(0);
});

test('documents and a change are enough for subscriptions that are resumed', async () => {
  const { code, lines } = await told(server.target.url, '--only', 'resume/m', ...documents);
  expect(lines.at(-1)).toBe('1 audits: 1 ok, 0 MUST and 0 SHOULD not ok, 0 skipped');
  expect(code).toBe(0);
});

test('a change that fails says nothing of the server', async () => {
  const { lines } = await told(
    ...[server.target.url, '--only', 'resume/m', ...documents, '--change', 'mutation { nope }'],
  );
  expect(lines[1]).toMatch(/^ {15}the change that is given fails: /);
});

test('the payload of connection_init is made of its options', async () => {
  const only = ['--only', 'connection/acknowledged-once'];
  const wrong = ['--token', 'wrong'];
  expect((await told(server.target.url, ...only, ...wrong)).code).toBe(1);
  const right = ['--init', '{"authorization":"right"}'];
  expect((await told(server.target.url, ...only, ...wrong, ...right)).code).toBe(0);
  const refused = ['--only', 'connection/refused', '--refused-init', '{"authorization":"wrong"}'];
  expect((await told(server.target.url, ...refused)).lines.at(-1)).toMatch(/^2 audits: 2 ok/);
});

test.each([
  [[], /^Say which server/],
  [['http://127.0.0.1'], /^An address begins with ws/],
  [['ws://127.0.0.1', 'ws://127.0.0.1'], /^One address/],
  [['ws://127.0.0.1', '--nope'], /--nope/],
  [['ws://127.0.0.1', '--init', '[]'], /^--init is an object/],
  [['ws://127.0.0.1', '--patience', '-1'], /patience/],
  [['ws://127.0.0.1', '--cursor', 'a'], /go together/],
  [['ws://127.0.0.1', '--header', 'a'], /^--header/],
  [['ws://127.0.0.1', '--only', 'nope'], /^No audit/],
])('what cannot be run ends with 2 and says why: %j', async (args, reason) => {
  const { code, lines } = await told(...args);
  expect(lines[0]).toMatch(reason);
  expect(code).toBe(2);
});

test('where nobody listens it says so once', async () => {
  const { code, lines } = await told(`ws://127.0.0.1:${await freePort()}/graphql`);
  expect(lines).toEqual([expect.stringMatching(/^the socket does not open: .*ECONNREFUSED/)]);
  expect(code).toBe(2);
});

test('docs/conformance.md has the audits as they are, as --list prints them', async () => {
  const table = tableOf(catalogue);
  expect(readFileSync(projectPath('docs', 'conformance.md'), 'utf8')).toContain(`\n${table}\n`);
  expect((await told('--list')).lines).toEqual(table.split('\n'));
});

test('the program runs and ends by itself', async () => {
  const script = startScript(`
    process.argv.push(...${JSON.stringify(['index.ts', server.target.url, '--only', 'handshake/alone'])});
    await import('./test/conformance/index.ts');
    console.log(process.exitCode);`);
  expect(await script.line()).toMatch(/^ok +MUST +handshake\/alone: /);
  expect(await script.line()).toMatch(/^1 audits: 1 ok/);
  expect(await script.line()).toBe('0');
  await script.kill();
});
