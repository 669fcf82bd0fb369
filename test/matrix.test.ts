import { readFileSync } from 'node:fs';
import {
  type GraphQLField,
  type GraphQLObjectType,
  getNamedType,
  isCompositeType,
  isObjectType,
  Kind,
  type ObjectTypeDefinitionNode,
  parse,
} from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadSupergraph } from '../gateway/supergraph.js';
import { serviceNames } from '../platform/config.js';
import type { Answer } from './support/client.js';
import { type Live, subscribe } from './support/live.js';
import { type Actor, actors, may, type Policy } from './support/matrix/actors.js';
import { entityPolicies, fields, isPlumbing, silent, valueless } from './support/matrix/fields.js';
import { innermost, nullAt, places } from './support/matrix/places.js';
import { type Root, refusalOf, roots } from './support/matrix/roots.js';
import { createWorld, type World } from './support/matrix/world.js';
import { type System, startSystem } from './support/system.js';

const { clientSchema, protection } = loadSupergraph(readFileSync('gateway/supergraph.graphql', 'utf8'));
const rootTypes = ['Query', 'Mutation', 'Subscription'] as const;

let system: System;
let world: World;
beforeAll(async () => {
  system = await startSystem({ DELIVERY_SIMULATION: 'off', COURIER_ASSIGNMENT: 'manual' });
  world = await createWorld(system);
});
afterAll(() => system?.stop());

const objects = Object.values(clientSchema.getTypeMap()).filter(
  (type): type is GraphQLObjectType => isObjectType(type) && !type.name.startsWith('__'),
);
const fieldOf = (type: string, name: string) =>
  (clientSchema.getType(type) as GraphQLObjectType).getFields()[name] as GraphQLField<unknown, unknown>;
const selectionOf = (type: string, name: string): string =>
  isCompositeType(getNamedType(fieldOf(type, name).type)) ? `${name} { __typename }` : name;
const codesOf = ({ errors }: Answer<unknown>) => errors.map(({ extensions }) => extensions.code);

/** Defines those of the world's ids that a text uses. */
const withVariables = (kind: string, text: string): string => {
  const used = Object.keys(world.ids).filter((name) => new RegExp(`\\$${name}\\b`).test(text));
  return `${kind} ${used.length > 0 ? `(${used.map((name) => `$${name}: ID!`).join(', ')})` : ''} { ${text} }`;
};
const ask = (actor: Actor, kind: string, text: string): Promise<Answer<unknown>> =>
  system.graphql(withVariables(kind, text), world.ids, world.tokens[actor]);

/** Asks a subgraph itself, past the gateway. */
async function direct(
  service: string,
  actor: Actor,
  query: string,
  variables: object,
): Promise<Answer<unknown>> {
  const token = world.tokens[actor];
  const headers = { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) };
  const url = system.subgraphs.get(service)?.url ?? '';
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ query, variables }) });
  const text = await response.text();
  const { data, errors = [] } = JSON.parse(text) as { data?: unknown; errors?: [] };
  return { status: response.status, text, data, errors };
}

const schemas = serviceNames.map((service) => ({
  service,
  types: parse(readFileSync(`subgraphs/${service}/schema.graphql`, 'utf8')).definitions.filter(
    (node): node is ObjectTypeDefinitionNode => node.kind === Kind.OBJECT_TYPE_DEFINITION,
  ),
}));

test('the table has every field of the schema, and no other', () => {
  const told = [
    ...rootTypes.flatMap((type) => Object.keys(roots[type]).map((field) => `${type}.${field}`)),
    ...Object.entries(fields).flatMap(([type, policies]) =>
      Object.keys(policies).map((field) => `${type}.${field}`),
    ),
  ];
  const there = objects.flatMap((type) =>
    Object.keys(type.getFields())
      .filter((field) => !isPlumbing(type.name, field))
      .map((field) => `${type.name}.${field}`),
  );
  expect(told.toSorted()).toEqual(there.toSorted());
});

test('each type has an object that it is tried on', () => {
  expect(Object.keys(places).toSorted()).toEqual(
    Object.keys(fields)
      .filter((type) => type !== 'OrderUpdate')
      .toSorted(),
  );
});

test('the schema itself says of what nobody may see that a token is needed, so that it is not even fetched', () => {
  const open = new Set(['Query.me', ...Object.keys(fields['User'] ?? {}).map((field) => `User.${field}`)]);
  const hidden = [
    ...rootTypes.flatMap((type) =>
      Object.entries(roots[type]).map(([field, { policy }]) => [type, field, policy] as const),
    ),
    ...values,
  ].filter(([type, field, policy]) => !may(policy, 'nobody') && !open.has(`${type}.${field}`));
  const unprotected = hidden.filter(([type, field]) => !protection?.requirementOf(type, field));
  expect(unprotected).toEqual([]);
});

const values = Object.entries(fields).flatMap(([type, policies]) =>
  Object.entries(policies).map(([field, policy]): [string, string, Policy] => [type, field, policy]),
);

describe('through the gateway', () => {
  test.each(values.filter(([type]) => places[type]))('%s.%s is for %s alone', async (type, field, policy) => {
    for (const actor of actors) {
      const answer = await ask(actor, 'query', places[type]?.(`{ ${selectionOf(type, field)} }`) ?? '');
      const value = innermost(answer.data, field);
      if (may(policy, actor)) {
        expect([actor, codesOf(answer)]).toEqual([actor, []]);
        if (!valueless.has(`${type}.${field}`)) expect([actor, value ?? null]).not.toEqual([actor, null]);
      } else {
        expect([actor, value ?? null]).toEqual([actor, null]);
        // Not so where the object around it is missing.
        const wordless = value === null && silent.has(`${type}.${field}`);
        expect([actor, answer.errors.length === 0]).toEqual([actor, wordless]);
        for (const { path = [], extensions } of answer.errors) {
          expect([actor, extensions.code]).toEqual([
            actor,
            actor === 'nobody' ? 'UNAUTHENTICATED' : expect.stringMatching(/^(FORBIDDEN|NOT_FOUND)$/),
          ]);
          expect([actor, path[0], nullAt(answer.data, path)]).toEqual([actor, 'it', true]);
        }
      }
    }
  });

  const asked = (['Query', 'Mutation'] as const).flatMap((type) =>
    Object.entries(roots[type]).map(([field, root]): [string, string, Root] => [
      type.toLowerCase(),
      field,
      root,
    ]),
  );
  test.each(asked)('%s %s is for those who may', async (kind, field, root) => {
    for (const actor of actors) expectRoot(root, field, actor, await ask(actor, kind, root.call));
  });

  test.each(Object.entries(roots.Subscription))(
    'subscription %s is for those who may',
    async (_field, root) => {
      const query = withVariables('subscription', root.call);
      for (const actor of actors)
        await expectLive(root, actor, system.subscribe(query, world.ids, world.tokens[actor]));
    },
  );
});

async function expectLive(root: Root, actor: Actor, live: Live<unknown>): Promise<void> {
  if (may(root.policy, actor)) {
    if (!root.hears || root.hears.includes(actor)) {
      const [first] = await live.waitFor((messages) => messages.length > 0);
      expect([actor, first?.errors]).toEqual([actor, undefined]);
    }
    live.close();
  } else {
    const { errors } = await live.ended;
    expect([actor, live.messages]).toEqual([actor, []]);
    expect([actor, errors.map(({ extensions }) => extensions.code)]).toEqual([
      actor,
      [refusalOf(root, actor)],
    ]);
  }
}

function expectRoot(root: Root, field: string, actor: Actor, answer: Answer<unknown>): void {
  const refused = ['UNAUTHENTICATED', 'FORBIDDEN', refusalOf(root, actor)];
  const codes = codesOf(answer);
  // A wrong password is UNAUTHENTICATED too.
  if (root.policy === 'anyone') return;
  if (may(root.policy, actor)) {
    for (const code of codes) expect([actor, refused]).not.toEqual([actor, expect.arrayContaining([code])]);
    return;
  }
  const refusal = refusalOf(root, actor);
  expect([actor, codes]).toEqual([actor, refusal === 'NOTHING' ? [] : [refusal]]);
  expect([actor, innermost(answer.data, field) ?? null]).toEqual([actor, null]);
}

describe('at a subgraph, past the gateway', () => {
  const entities = schemas.flatMap(({ service, types }) =>
    types
      .filter(({ directives = [] }) => directives.some(({ name }) => name.value === 'key'))
      .filter(({ name }) => fields[name.value])
      .flatMap(({ name, fields: own = [] }) =>
        own
          .filter(
            ({ name: field, directives = [] }) =>
              field.value !== 'id' && !directives.some(({ name }) => name.value === 'external'),
          )
          .map((field): [string, string, string] => [service, name.value, field.name.value]),
      ),
  );
  const idOf = (type: string): string =>
    world.ids[type === 'Payment' ? 'refunded' : type.toLowerCase()] ?? '';

  /** Who may has a value and no error, who may not has no value. */
  function expectToldTo(
    actor: Actor,
    policy: Policy,
    answer: Answer<unknown>,
    type: string,
    field: string,
  ): void {
    const value = innermost(answer.data, field) ?? null;
    const isNull = value === null;
    if (!may(policy, actor)) expect([actor, value]).toEqual([actor, null]);
    else expect([actor, codesOf(answer), isNull]).toEqual([actor, [], valueless.has(`${type}.${field}`)]);
  }

  test.each(entities)('%s gives %s.%s as an entity to those who may', async (service, type, field) => {
    const query = `query ($r: [_Any!]!) { _entities(representations: $r) { ... on ${type} { ${selectionOf(type, field)} } } }`;
    const policy = entityPolicies[type] ?? fields[type]?.[field] ?? 'parent';
    for (const actor of actors) {
      const answer = await direct(service, actor, query, { r: [{ __typename: type, id: idOf(type) }] });
      expectToldTo(actor, policy, answer, type, field);
    }
  });

  /** What a service has within an answer of its own: of types that are no entities nothing else tries it there. */
  const within = schemas.flatMap(({ service, types }) => {
    const own = types.map(({ name, fields: all = [] }) => ({
      type: name.value,
      names: all.map((field) => field.name.value),
    }));
    const queries = own.find(({ type }) => type === 'Query')?.names ?? [];
    return own
      .filter(({ type }) => queries.includes(/it: (\w+)/.exec(places[type]?.('') ?? '')?.[1] ?? ''))
      .flatMap(({ type, names }) => names.map((field): [string, string, string] => [service, type, field]));
  });

  test.each(within)('%s gives %s.%s in an answer to those who may', async (service, type, field) => {
    const query = withVariables('query', places[type]?.(`{ ${selectionOf(type, field)} }`) ?? '');
    const policy = fields[type]?.[field] ?? 'parent';
    for (const actor of actors) {
      const answer = await direct(service, actor, query, world.ids);
      expectToldTo(actor, policy, answer, type, field);
    }
  });

  const asked = schemas.flatMap(({ service, types }) =>
    types
      .filter(({ name }) => name.value === 'Query' || name.value === 'Mutation')
      .flatMap(({ name, fields: own = [] }) =>
        own.map((field): [string, string, string] => [service, name.value, field.name.value]),
      ),
  );
  test.each(asked)('%s answers %s.%s to those who may', async (service, type, field) => {
    const root = roots[type as 'Query' | 'Mutation'][field] as Root;
    for (const actor of actors) {
      const answer = await direct(service, actor, withVariables(type.toLowerCase(), root.call), world.ids);
      expectRoot(root, field, actor, answer);
    }
  });

  const live = schemas.flatMap(({ service, types }) =>
    types
      .filter(({ name }) => name.value === 'Subscription')
      .flatMap(({ fields: own = [] }) => own.map(({ name }): [string, string] => [service, name.value])),
  );
  test.each(live)('%s streams Subscription.%s to those who may', async (service, field) => {
    const root = roots.Subscription[field] as Root;
    const operation = { query: withVariables('subscription', root.call), variables: world.ids };
    const url = system.subgraphs.get(service)?.url ?? '';
    for (const actor of actors) await expectLive(root, actor, subscribe(url, operation, world.tokens[actor]));
  });
});
