import { readFileSync } from 'node:fs';
import { type ASTNode, Kind, parse, visit } from 'graphql';
import { expect, test } from 'vitest';
import { serviceNames } from '../platform/config.js';
import { projectPath } from '../platform/root.js';

const described = new Set<string>([
  Kind.SCALAR_TYPE_DEFINITION,
  Kind.OBJECT_TYPE_DEFINITION,
  Kind.INTERFACE_TYPE_DEFINITION,
  Kind.UNION_TYPE_DEFINITION,
  Kind.ENUM_TYPE_DEFINITION,
  Kind.ENUM_VALUE_DEFINITION,
  Kind.INPUT_OBJECT_TYPE_DEFINITION,
  Kind.FIELD_DEFINITION,
  // Arguments and the fields of inputs.
  Kind.INPUT_VALUE_DEFINITION,
  Kind.DIRECTIVE_DEFINITION,
]);

/** What has no description, as `Query.orders.first`. */
function undescribed(sdl: string): string[] {
  const path: string[] = [];
  const found: string[] = [];
  const nameOf = (node: ASTNode) => ('name' in node ? node.name?.value : undefined);
  visit(parse(sdl), {
    enter(node) {
      const name = nameOf(node);
      if (name !== undefined) path.push(name);
      if (described.has(node.kind) && !('description' in node && node.description?.value.trim()))
        found.push(path.join('.'));
    },
    leave(node) {
      if (nameOf(node) !== undefined) path.pop();
    },
  });
  return found;
}

test('what has no description is found', () => {
  const sdl = `
    type A { "b" b("c" c: Int, d: Int): Int e: Int }
    "F" enum F { G }
    "H" input H { i: Int }
    extend type Query { j: J }
    "" scalar J
  `;
  expect(undescribed(sdl)).toEqual(['A', 'A.b.d', 'A.e', 'F.G', 'H.i', 'Query.j', 'J']);
});

test.each(serviceNames)('all of the schema of %s is described', (service) => {
  const sdl = readFileSync(projectPath('subgraphs', service, 'schema.graphql'), 'utf8');
  expect(undescribed(sdl)).toEqual([]);
});
