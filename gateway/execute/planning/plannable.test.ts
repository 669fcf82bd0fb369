import { parse, print } from 'graphql';
import { expect, test } from 'vitest';
import { withoutLeftOut } from './plannable.js';

const length = 200;
const chain = Array.from(
  { length },
  (_, n) => `fragment F${n} on Query { ${n < length - 1 ? `...F${n + 1}` : 'x @skip(if: true)'} }`,
);
const document = parse(`{ ...Kept ...F0 a { ...F9 } } fragment Kept on Query { x } ${chain.join(' ')}`);

test('fragments that are empty, since those in them are, go with those', () => {
  expect(print(withoutLeftOut(document))).toBe(
    print(parse('{ ...Kept a { ... @skip(if: true) { __typename } } } fragment Kept on Query { x }')),
  );
});

test('however many such fragments stand in each other, what has none of them is looked at no more for it', () => {
  let looks = 0;
  const definitions = document.definitions.map((node) =>
    'name' in node && node.name?.value === 'Kept'
      ? Object.defineProperty({ ...node }, 'selectionSet', {
          enumerable: true,
          get() {
            looks++;
            return 'selectionSet' in node ? node.selectionSet : undefined;
          },
        })
      : node,
  );
  withoutLeftOut({ ...document, definitions });
  expect(looks).toBeLessThan(20);
});
