import { parse } from 'graphql';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openSocket } from '../testing/client.js';
import { startEchoGateway } from '../testing/echo.js';
import { post } from '../testing/gateway.js';
import { refuseLiterals } from './literals.js';

let gateway: Awaited<ReturnType<typeof startEchoGateway>>;
beforeAll(async () => {
  gateway = await startEchoGateway('any: Any');
});
afterAll(() => gateway?.stop());

const nested = (levels: number, open: string, close: string) =>
  `${open.repeat(levels)}1${close.repeat(levels)}`;
const tooMuch = { errors: [{ extensions: { code: 'QUERY_TOO_COMPLEX' } }] };

// For each list more the planner took twice as long: for these it was half a minute, and for fifty it would be years.
test.each([
  ['lists', nested(26, '[', ']')],
  ['lists of objects', nested(26, '[{ a: ', '}]')],
  // Somewhat more, and it ran out of stack; variables may not be so deep either.
  ['objects', nested(1_500, '{a:', '}')],
])('%s within each other are refused before they are planned', { timeout: 10_000 }, async (_, value) => {
  for (const query of [`{ echo(any: ${value}) }`, `query ($any: Any = ${value}) { echo(any: $any) }`]) {
    const { status, body } = await post(gateway, query);
    expect([status, body]).toMatchObject([400, tooMuch]);
    const socket = await openSocket(gateway.url);
    socket.subscribe('1', query);
    expect(await socket.next()).toMatchObject({ type: 'error', payload: tooMuch.errors });
    socket.close();
  }
});

test('what people write passes', async () => {
  const shapes = '[[[[52.5, 13.4], [52.6, 13.5]]]]';
  const { body } = await post(
    gateway,
    `{ a: echo(any: ${shapes}) b: echo(any: ${nested(100, '{a:', '}')}) }`,
  );
  expect(body).toMatchObject({ data: { a: JSON.stringify({ any: JSON.parse(shapes) }) } });
  const wide = `[${Array.from({ length: 7_000 }, (_, n) => n).join(' ')}]`;
  expect(refuseLiterals(parse(`{ echo(any: ${wide}) }`))).toBeUndefined();
});

test('nor may one be wide and nested', () => {
  const wide = `[${Array.from({ length: 3_000 }, (_, n) => n).join(' ')}]`;
  expect(refuseLiterals(parse(`{ echo(any: [[[[[${wide}]]]]]) }`))).toMatchObject(tooMuch.errors[0] ?? {});
});
