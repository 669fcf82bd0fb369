import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { executorOfTests } from '../testing/gateway.js';
import { deepList, deepObject, joined, type Parrots, startParrots, thing, two } from '../testing/parrots.js';

let parrots: Parrots;
beforeAll(async () => {
  parrots = await startParrots();
});
afterAll(() => parrots.stop());

/** Values that are not of their type: the rest arrives, and whoever answered it is named where we complete it. */
describe('a value of a wrong shape is null', () => {
  const wrong = (service: string, path: (string | number)[]) =>
    executorOfTests() === 'apollo'
      ? undefined
      : [
          {
            message: expect.stringMatching(
              new RegExp(
                `^The ${service} service answered with something else than its schema says; the error id is `,
              ),
            ),
            path,
            extensions: { code: 'SERVICE_UNAVAILABLE', service, errorId: expect.any(String) },
          },
        ];

  const values = [
    ['n', '"seven"'],
    ['n', '1.5'],
    ['n', '{"a":1}'],
    ['n', '[1]'],
    ['n', deepList(10_000)],
    ['ratio', '"1.5"'],
    ['ratio', '1e999'],
    ['any', '1e999'],
    ['colour', '"GREEN"'],
    ['colour', '{}'],
    ['next { id }', '[{"id":"2"}]'],
  ];
  /** ApolloGateway answers the first as it is, and loses the whole answer to the others. */
  const valuesThatApolloDoesNotCheck = [
    ['n', '2147483648'],
    ['list', '"a"'],
    ['list', '{"0":"a"}'],
    ['next { id }', '"2"'],
    ['any', '{"list":[1,{"most":1e999}]}'],
    ['any', deepList(10_000)],
    ['any', deepObject(10_000)],
  ];
  test.each(
    [...values, ...(executorOfTests() === 'apollo' ? [] : valuesThatApolloDoesNotCheck)].map(
      ([field = '', value = '']) => [field, value.slice(0, 20), value] as const,
    ),
  )('%s that is %s', async (field, _start, value) => {
    const name = field.split(' ')[0] as string;
    const { body } = await parrots.ask(
      `{ thing { id ${field} } count }`,
      `{"data":{"thing":${thing('1', `"${name}":${value}`)},"count":3}}`,
    );
    expect(body.data).toEqual({ thing: { id: '1', [name]: null }, count: 3 });
    expect(body.errors).toEqual(wrong('catalog', ['thing', name]));
  });

  /** ApolloGateway answers an object without fields, or loses the whole answer. */
  const namesOfNoType = ['null', '""', '7', '"Nothing"', '"Query"'].map((name) => `"__typename":${name},`);
  test.each(executorOfTests() === 'apollo' ? [] : ['', ...namesOfNoType])(
    'an object with the name %s, where it can be one of several',
    async (name) => {
      const { body } = await parrots.ask(
        '{ either { ... on Thing { n } ... on Other { x } } count }',
        `{"data":{"either":{${name}"n":1},"count":3}}`,
      );
      expect(body.data).toEqual({ either: null, count: 3 });
      expect(body.errors).toEqual(wrong('catalog', ['either']));
    },
  );

  test.each([
    ['a text', '"seven"'],
    ['an object that is no number', '{"toString":1}'],
    ['a list that is none', '[{"toString":1}]'],
    ['a list without end', deepList(100_000)],
  ])('after so many objects that code was made for them: %s', async (_what, value) => {
    const right = Array.from({ length: 60 }, (_, id) => thing(`${id}`, '"n":1'));
    const { body } = await parrots.ask(
      '{ things { n } count }',
      `{"data":{"things":[${right.join()},${thing('60', `"n":${value}`)}],"count":3}}`,
    );
    expect(body.data).toEqual({ things: [...right.map(() => ({ n: 1 })), { n: null }], count: 3 });
    expect(body.errors).toEqual(wrong('catalog', ['things', 60, 'n']));
  });

  test('in the answer of another subgraph, at its place in the list', async () => {
    const { body } = await parrots.ask(
      joined,
      two,
      `{"data":{"_entities":[{"note":"a"},{"note":{"b":${deepList(10_000)}}}]}}`,
    );
    expect(body.data).toEqual({
      things: [
        { n: 1, note: 'a' },
        { n: 2, note: null },
      ],
    });
    expect(body.errors).toEqual(wrong('notes', ['things', 1, 'note']));
  });

  test('and where it may not be null takes with it what GraphQL says', async () => {
    const { body } = await parrots.ask(
      '{ things { n strict } count }',
      `${two.slice(0, -2)},"count":3}}`,
      '{"data":{"_entities":[{"strict":7},{"strict":"b"}]}}',
    );
    expect(body.data).toEqual({ things: [null, { n: 2, strict: 'b' }], count: 3 });
    expect(body.errors).toEqual(wrong('notes', ['things', 0, 'strict']));
  });

  test('but a number where there should be an ID is its text', async () => {
    const { body } = await parrots.ask(
      '{ thing { id } }',
      '{"data":{"thing":{"__typename":"Thing","id":7}}}',
    );
    expect(body).toEqual({ data: { thing: { id: executorOfTests() === 'apollo' ? 7 : '7' } } });
  });

  test('under an alias and in a fragment', async () => {
    const { body } = await parrots.ask(
      '{ t: thing { ...Numbers } } fragment Numbers on Thing { x: n y: n }',
      `{"data":{"t":${thing('1', '"x":"seven","y":7')}}}`,
    );
    expect(body.data).toEqual({ t: { x: null, y: 7 } });
    expect(body.errors).toEqual(wrong('catalog', ['t', 'x']));
  });

  test('and nothing of it is passed on to other subgraphs but as it came', async () => {
    const broken = `{"data":{"things":[{"__typename":"Thing","id":${deepList(50_000)},"n":1},${thing('2', '"n":2')}]}}`;
    const { body } = await parrots.ask(joined, broken, '{"data":{"_entities":[{"note":"b"}]}}');
    expect(body.data).toMatchObject({ things: [{ n: 1, note: null }, { n: 2 }] });
    expect(body.errors?.length).toBeGreaterThan(0);
  });

  test('and a key that is known is not lost to an object in its place', async () => {
    const { body } = await parrots.ask(
      '{ thing { id note } }',
      `{"data":{"thing":${thing('1')}}}`,
      '{"data":{"_entities":[{"note":"a","id":{"an":"object"}}]}}',
    );
    expect(body.data).toEqual({ thing: { id: '1', note: 'a' } });
    if (executorOfTests() === 'doorstep') expect(body.errors).toBeUndefined();
  });

  test('and what was not asked for harms nobody, nested without end or not', async () => {
    const entity = `{"note":"a","more":${deepObject(20_000)},"__proto__":{"polluted":true},"constructor":7}`;
    const same = `{"data":{"a":${thing('1')},"b":${thing('1')}}}`;
    const { body } = await parrots.ask(
      '{ a: thing { note } b: thing { note } }',
      same,
      `{"data":{"_entities":[${entity}]}}`,
    );
    expect(body).toEqual({ data: { a: { note: 'a' }, b: { note: 'a' } } });
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});
