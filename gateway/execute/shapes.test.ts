import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { executorOfTests } from '../testing/gateway.js';
import { deepList, deepObject, joined, type Parrots, startParrots, thing, two } from '../testing/parrots.js';

let parrots: Parrots;
beforeAll(async () => {
  parrots = await startParrots();
});
afterAll(() => parrots.stop());

/** What is left where notes gave nothing. */
const withoutNotes = {
  things: [
    { n: 1, note: null },
    { n: 2, note: null },
  ],
};
const unavailable = {
  message: 'The notes service is unavailable.',
  extensions: { code: 'SERVICE_UNAVAILABLE', service: 'notes' },
};

/** Cases by their first characters: some have a hundred thousand. */
const named = (values: readonly string[]) => values.map((value) => [value.slice(0, 30), value] as const);

describe('entities that are not those that were asked for cost their own fields only', () => {
  test.each([
    ['missing', '{"data":{}}'],
    ['null, without an error', '{"data":{"_entities":null}}'],
    ['an object', '{"data":{"_entities":{"0":{"note":"a"}}}}'],
    ['text', '{"data":{"_entities":"ab"}}'],
    ['too short', '{"data":{"_entities":[{"note":"a"}]}}'],
    ['too long', '{"data":{"_entities":[{"note":"a"},{"note":"b"},{"note":"c"}]}}'],
    ['none', '{"data":{"_entities":[]}}'],
    ['a list that holds text', '{"data":{"_entities":[{"note":"a"},"b"]}}'],
    ['a list that holds a list', '{"data":{"_entities":[{"note":"a"},[]]}}'],
    ['a list that holds false', '{"data":{"_entities":[{"note":"a"},false]}}'],
    ['not the answer', '[{"data":{"_entities":[null,null]}}]'],
    ['nothing at all', ''],
    ['half an answer', '{"data":{"_entities":[{"note":"a"},{"no'],
    ['data that is a list', '{"data":[]}'],
    ['data that is text', '{"data":"yes"}'],
    ['no data and no errors', '{"errors":[]}'],
    ['no data, and errors that are none', '{"errors":"boom"}'],
    ['a number', '7'],
    ['a page', '<!doctype html><title>502 at 10.0.0.7</title>'],
    [
      'nested without end',
      `{"data":{"_entities":[{"note":"a"},{"note":"b"}],"more":${deepList(1_000_000)}}}`,
    ],
    ['nested without an end', `{"data":${'['.repeat(3_000_000)}`],
  ])('%s', async (_name, notesSay) => {
    expect((await parrots.ask(joined, two, notesSay)).body).toEqual({
      data: withoutNotes,
      errors: [unavailable],
    });
  });

  test.each([500, 502, 404, 200])('an HTML page with HTTP %i', async (status) => {
    const text = '<html><body><h1>Internal Server Error</h1> upstream 10.0.0.7:4001</body></html>';
    const { body } = await parrots.ask(joined, two, { text, status, type: 'text/html' });
    expect(body).toEqual({ data: withoutNotes, errors: [unavailable] });
    // Failures in a row would open the circuit, in which the next case would be.
    await parrots.ask(joined, two, '{"data":{"_entities":[null,null]}}');
  });

  test('and null among them is an entity that is gone, without an error', async () => {
    const { body } = await parrots.ask(joined, two, '{"data":{"_entities":[null,{"note":"b"}]}}');
    expect(body).toEqual({
      data: {
        things: [
          { n: 1, note: null },
          { n: 2, note: 'b' },
        ],
      },
    });
  });
});

describe('errors', () => {
  const coded = (rest: string) => `{"message":"No.","extensions":{"code":"FORBIDDEN"}${rest}}`;
  const withErrors = (errors: string) => `{"data":{"_entities":[{"note":"a"},null]},"errors":${errors}}`;
  const data = {
    things: [
      { n: 1, note: 'a' },
      { n: 2, note: null },
    ],
  };

  test.each([
    '"boom"',
    '{"message":"boom"}',
    '7',
    'true',
    '[7]',
    '["boom"]',
    '[{"code":1}]',
    '[null]',
    '[[]]',
  ])('that are none take nothing with them, and are told of: %s', async (errors) => {
    expect((await parrots.ask(joined, two, withErrors(errors))).body).toEqual({
      data,
      errors: [unavailable],
    });
  });

  test('are passed on beside some that are none', async () => {
    const { body } = await parrots.ask(joined, two, withErrors(`[7,${coded('')},null]`));
    expect(body.data).toEqual(data);
    expect(body.errors?.map(({ extensions }) => extensions?.['code']).sort()).toEqual([
      'FORBIDDEN',
      'SERVICE_UNAVAILABLE',
    ]);
  });

  test.each(['null', '[]'])('may be %s where there are none', async (errors) => {
    expect((await parrots.ask(joined, two, withErrors(errors))).body).toEqual({ data });
  });

  test.each(
    named([
      '"things"',
      '7',
      '{}',
      '[]',
      '[null]',
      '[{}]',
      '[["_entities"]]',
      '["_entities"]',
      '["_entities",99,"note"]',
      '["_entities",-1,"note"]',
      '["_entities",0.5]',
      '["_entities",1e400]',
      '["_entities","1"]',
      '["somewhere",1,"note"]',
      '["__proto__",0]',
      deepList(100_000),
    ]),
  )('with a path that is garbage are told all the same: %s', async (_name, path) => {
    const { body } = await parrots.ask(joined, two, withErrors(`[${coded(`,"path":${path}`)}]`));
    expect(body.data).toEqual(data);
    expect(body.errors).toHaveLength(1);
    expect(body.errors?.[0]).toMatchObject({ message: 'No.', extensions: { code: 'FORBIDDEN' } });
    if (executorOfTests() === 'doorstep') expect(body.errors?.[0]).not.toHaveProperty('path');
  });

  test.each(['"text"', '7', '[1,2]', 'null', 'true'])(
    'whose extensions are %s have none',
    async (extensions) => {
      const { body } = await parrots.ask(
        joined,
        two,
        withErrors(`[{"message":"secret","extensions":${extensions}}]`),
      );
      expect(body.data).toEqual(data);
      expect(body.errors).toEqual([
        {
          message: expect.stringMatching(/^Something went wrong here; the error id is [0-9a-f-]{36}\.$/),
          extensions: { code: 'INTERNAL_SERVER_ERROR', errorId: expect.any(String) },
        },
      ]);
    },
  );

  test('whose extensions are nested without end lose those', async () => {
    const error = `{"message":"No.","extensions":{"code":"FORBIDDEN","a":${deepList(100_000)},"b":${deepObject(50_000)},"c":[1]}}`;
    const { body } = await parrots.ask(joined, two, withErrors(`[${error}]`));
    expect(body).toEqual({
      data,
      errors: [{ message: 'No.', extensions: { code: 'FORBIDDEN', c: [1] } }],
    });
  });

  test('of whole lists of entities are found their places in no time', async () => {
    const count = 5_000;
    const many = Array.from({ length: count }, (_, id) => thing(String(id)));
    const errors = many.map((_, id) => coded(`,"path":["_entities",${id},"note"]`));
    const entities = `{"data":{"_entities":[${many.map(() => 'null')}]},"errors":[${errors}]}`;
    const startedAt = performance.now();
    const { body } = await parrots.ask('{ things { note } }', `{"data":{"things":[${many}]}}`, entities);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    expect(body.errors).toHaveLength(count);
    expect((body.data as { things: unknown[] }).things).toHaveLength(count);
  });
});
