import { afterAll, beforeAll, expect, test } from 'vitest';
import { openSocket } from '../testing/client.js';
import { startEchoGateway } from '../testing/echo.js';
import { postText } from '../testing/gateway.js';

let gateway: Awaited<ReturnType<typeof startEchoGateway>>;
beforeAll(async () => {
  gateway = await startEchoGateway('any: Any, ratio: Float');
});
afterAll(() => gateway?.stop());

const long = '9'.repeat(400);
const ask = (query: string, variables = '{}') =>
  postText(gateway, `{"query":${JSON.stringify(query)},"variables":${variables}}`);
const refused = (code: string) => ({ errors: [{ extensions: { code } }] });

test.each([
  '{ echo(any: 1e400) }',
  '{ echo(any: { list: [-1e400] }) }',
  `{ echo(any: ${long}) }`,
  '{ echo(ratio: 1e400) }',
  'query ($any: Any = 1e400) { echo(any: $any) }',
])('a number that nothing can hold is refused, and is no fault: %s', async (query) => {
  const { status, body } = await ask(query);
  expect([status, body]).toMatchObject([400, refused('GRAPHQL_VALIDATION_FAILED')]);
  const socket = await openSocket(gateway.url);
  socket.subscribe('1', query);
  expect(await socket.next()).toMatchObject({
    type: 'error',
    payload: refused('GRAPHQL_VALIDATION_FAILED').errors,
  });
  socket.close();
});

test.each([
  '{"any":1e400}',
  '{"any":{"list":[-1E+400]}}',
  `{"any":${long}}`,
  `{"any":${'9'.repeat(250)}e99}`,
])('one among variables is refused, where it became null: %s', async (variables) => {
  const query = 'query ($any: Any) { echo(any: $any) }';
  const { status, body } = await ask(query, variables);
  expect([status, body]).toMatchObject([400, refused('BAD_USER_INPUT')]);
  const socket = await openSocket(gateway.url);
  socket.write(`{"id":"1","type":"subscribe","payload":{"query":"${query}","variables":${variables}}}`);
  expect(await socket.next()).toMatchObject({
    id: '1',
    type: 'error',
    payload: refused('BAD_USER_INPUT').errors,
  });
  // Its name is free again.
  socket.subscribe('1', '{ echo }');
  expect(await socket.next()).toMatchObject({ id: '1', type: 'next', payload: { data: { echo: '{}' } } });
  socket.close();
});

test('the largest that there is passes', async () => {
  const { body } = await ask(
    'query ($ratio: Float) { echo(any: -1.7e308, ratio: $ratio) }',
    '{"ratio":1.7e308}',
  );
  expect(body).toEqual({ data: { echo: '{"any":-1.7e+308,"ratio":1.7e+308}' } });
});
