import { readFileSync } from 'node:fs';
import { type FieldDefinitionNode, Kind, type ObjectTypeDefinitionNode, parse } from 'graphql';
import { describe, expect, test } from 'vitest';

/** The fields of object types in some SDL, with the directives of the live link. */
function liveFields(path: string): Map<string, FieldDefinitionNode> {
  const types = parse(readFileSync(path, 'utf8')).definitions.filter(
    (definition): definition is ObjectTypeDefinitionNode => definition.kind === Kind.OBJECT_TYPE_DEFINITION,
  );
  const fields = types.flatMap(({ name, fields = [] }) =>
    fields.map((field) => [`${name.value}.${field.name.value}`, field] as const),
  );
  return new Map(fields);
}

const directives = (field: FieldDefinitionNode | undefined): string[] =>
  (field?.directives ?? [])
    .filter(({ name }) => ['resumable', 'shared'].includes(name.value))
    .map(({ name, arguments: given = [] }) =>
      [name.value, ...given.map(({ value }) => (value.kind === Kind.STRING ? value.value : ''))].join(' '),
    )
    .toSorted();

const supergraph = liveFields('gateway/supergraph.graphql');

describe('@resumable and @shared', () => {
  // A subgraph that uses a directive without @composeDirective loses it without a word.
  test.each(['order', 'payment', 'delivery', 'event'])('of %s stand in the supergraph', (service) => {
    const own = [...liveFields(`subgraphs/${service}/schema.graphql`)];
    for (const [name, field] of own)
      expect(directives(supergraph.get(name)), name).toEqual(expect.arrayContaining(directives(field)));
  });

  test('say of each subscription what resumes it, and whether it is the same for all', () => {
    const subscriptions = [...supergraph].filter(([name]) => name.startsWith('Subscription.'));
    expect(Object.fromEntries(subscriptions.map(([name, field]) => [name, directives(field)]))).toEqual({
      'Subscription.courierMoved': ['shared'],
      'Subscription.deliveriesChanged': ['resumable after cursor', 'shared'],
      'Subscription.deliveryStatusChanged': ['resumable after cursor', 'shared'],
      'Subscription.eventPublished': ['resumable after cursor', 'shared'],
      'Subscription.myOrdersUpdated': ['resumable after cursor'],
      'Subscription.orderUpdated': ['resumable after cursor', 'shared'],
      'Subscription.paymentCompleted': ['shared'],
    });
  });

  test('leave out what some are refused where their neighbours see it', () => {
    const some = [
      ...['Order.payment', 'Order.delivery', 'User.email', 'User.orders', 'User.account'],
      ...['Order.timeline', 'User.events'],
      ...['Courier.phone', 'Courier.user', 'Courier.location', 'Courier.deliveries'],
    ];
    expect(some.flatMap((name) => directives(supergraph.get(name)))).toEqual([]);
  });
});
