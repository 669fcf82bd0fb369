import { readFileSync } from 'node:fs';
import { type FieldDefinitionNode, Kind, parse, visit } from 'graphql';
import { projectPath } from '../../../platform/root.js';
import type { System } from '../system.js';

const rootTypes = { query: 'Query', mutation: 'Mutation', subscription: 'Subscription' } as const;

/** The fields of the root types that these subgraphs answer, as `Query.order`. */
export function rootFields(subgraphs: readonly string[]): string[] {
  const graphs = new Set(subgraphs.map((name) => name.toUpperCase()));
  const isOf = ({ directives = [] }: FieldDefinitionNode) =>
    directives.some(({ name, arguments: args = [] }) =>
      args.some(
        ({ value }) => name.value === 'join__field' && value.kind === Kind.ENUM && graphs.has(value.value),
      ),
    );
  const roots = new Set<string>(Object.values(rootTypes));
  return parse(readFileSync(projectPath('gateway', 'supergraph.graphql'), 'utf8')).definitions.flatMap(
    (type) =>
      type.kind === Kind.OBJECT_TYPE_DEFINITION && roots.has(type.name.value)
        ? (type.fields ?? []).filter(isOf).map(({ name }) => `${type.name.value}.${name.value}`)
        : [],
  );
}

/** The same system, noting which fields of the root types it is asked for. */
export function noting(system: System, asked: Set<string>): System {
  const note = (query: string) => {
    visit(parse(query), {
      OperationDefinition({ operation, selectionSet }) {
        for (const field of selectionSet.selections)
          if (field.kind === Kind.FIELD) asked.add(`${rootTypes[operation]}.${field.name.value}`);
        return false;
      },
    });
  };
  return {
    ...system,
    order(customer, order) {
      asked.add('Mutation.createOrder');
      return system.order(customer, order);
    },
    ask(query, variables, token) {
      note(query);
      return system.ask(query, variables, token);
    },
    subscribe(query, variables, token) {
      note(query);
      return system.subscribe(query, variables, token);
    },
  };
}
