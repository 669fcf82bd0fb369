import { expect, test } from 'vitest';
import { jsonOf, markRepeated } from './json.js';

function repeated<T extends object>(object: T): T {
  markRepeated(object);
  return object;
}

const product = () => repeated({ id: 'p1', name: 'Käse 🧀', price: '1.00', tags: ['a', 'b'] });

test('a small answer without repeats is a text', () =>
  expect(jsonOf({ data: { a: 'ä', b: undefined, c: [null] } })).toBe('{"data":{"a":"ä","c":[null]}}'));

test.each([
  ['plain', 'x'.repeat(100_000)],
  ['in more bytes than characters', 'Käse, 乳酪, 🧀 '.repeat(100_000)],
  ['half a character', `\ud800${'x'.repeat(20_000)}`],
])('a large one is the bytes of its JSON: %s', (_what, text) => {
  const answer = { data: { text } };
  expect((jsonOf(answer) as Buffer).equals(Buffer.from(JSON.stringify(answer)))).toBe(true);
});

test('what stands in several places is written there, at every depth', () => {
  const [inner, other] = [product(), repeated({ a: 1, b: '"\\', c: null, d: {} })];
  const outer = repeated({ id: 'o', inner, list: [inner, other, inner], last: true });
  const answer = {
    data: { first: outer, list: [outer, inner, [other]], inner },
    errors: [{ path: ['inner'] }],
  };
  expect(String(jsonOf(answer))).toBe(JSON.stringify(answer));
});

test('however much that comes to', () => {
  const inner = repeated({ a: '乳'.repeat(100_000), b: 1, c: 2, d: 3 });
  const outer = repeated({ list: new Array(10).fill(inner), e: 4, f: 5, g: 6 });
  const answer = { data: { list: new Array(5).fill(outer), inner } };
  expect((jsonOf(answer) as Buffer).equals(Buffer.from(JSON.stringify(answer)))).toBe(true);
});

test('within bounds', () => {
  let object = repeated({ text: 'x'.repeat(1_000), a: 1, b: 2, c: 3 }) as object;
  for (let n = 0; n < 30; n++) object = repeated({ a: object, b: object, c: 1, d: 2 });
  expect(() => jsonOf({ data: object })).toThrow(RangeError);
});

test('a field that is called toJSON is a field', () => {
  const odd = repeated({ toJSON: 'text', a: 1, b: 2, c: 3 });
  expect(String(jsonOf({ data: [odd, odd] }))).toBe(JSON.stringify({ data: [odd, odd] }));
});

test('bytes stay what they are when another answer follows', () => {
  const inner = product();
  const first = jsonOf({ data: [inner, inner] });
  const text = String(first);
  jsonOf({ data: ['z'.repeat(100_000)] });
  expect(String(first)).toBe(text);
});

test('an answer that cannot be written costs the next one nothing', () => {
  const broken = {
    data: [
      product(),
      {
        toJSON: () => {
          throw new Error('no');
        },
      },
    ],
  };
  expect(() => jsonOf(broken)).toThrow('no');
  const object = product();
  expect(JSON.stringify([object])).toBe('[{"id":"p1","name":"Käse 🧀","price":"1.00","tags":["a","b"]}]');
});
