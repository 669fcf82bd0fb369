import type { FetchNode } from '@apollo/query-planner';
import { OperationTypeNode } from 'graphql';
import { expect, test } from 'vitest';
import { compileAsking } from './blame.js';

test('what a fetch may ask of objects is found out once, however many lack something', () => {
  const node = {
    kind: 'Fetch',
    serviceName: 'food',
    operationKind: OperationTypeNode.QUERY,
    operation: 'query ($representations: [_Any!]!) { _entities(representations: $representations) { rank } }',
    requires: [
      { kind: 'Field', name: '__typename' },
      { kind: 'Field', name: 'id' },
    ],
  } as Partial<FetchNode> as FetchNode;
  let compiled = 0;
  const partsOf = () => {
    compiled++;
    return { by: () => () => node, forOthers: () => new Set<string>() };
  };
  const types = { isType: () => true, isObject: () => true };
  const fetch = { path: ['animals', '@'], node } as never;
  const asking = compileAsking(() => [], new Map(), { types, partsOf, hasKey: () => true })(new Map());
  for (const id of ['1', '2', '3'])
    expect(asking.asks(fetch, { __typename: 'Cat', id }, ['animals', 'rank'])).toBe(true);
  expect(compiled).toBe(1);
});
