import { isEnumType, isInputObjectType, isUnionType, Kind, parse, visit } from 'graphql';
import { expect, test } from 'vitest';
import { loadSupergraph } from '../../supergraph.js';
import { bazaarSdl, bazaarSupergraph } from './supergraph.js';

const documents = Object.values(bazaarSdl).map((sdl) => parse(sdl));
const all = Object.values(bazaarSdl).join('\n');
const { clientSchema } = loadSupergraph(bazaarSupergraph());

// What the oracle tests are worth depends on it.
test.each<[string, RegExp]>([
  ['several keys', /@key\(fields: "id"\) @key\(fields: "email"\)/],
  ['a composite key', /@key\(fields: "sku market \{ code \}"\)/],
  ['a nested key', /@key\(fields: "taxId \{ country number \}"\)/],
  ['a key with a list', /@key\(fields: "ids"\)[\s\S]*\bids: \[ID!\]!/],
  ['a key with a list of objects', /@key\(fields: "lots \{ no \}"\)[\s\S]*\blots: \[Lot\]/],
  ['a key with lists of lists', /@key\(fields: "cells"\)[\s\S]*\bcells: \[\[Int!\]!\]!/],
  ['a key on an interface', /interface Product implements Named @key\(fields: "id"\)/],
  ['a key that is not resolvable', /resolvable: false/],
  ['an interface object', /type Product @key\(fields: "id"\) @interfaceObject/],
  ['a required field', /@requires\(fields: "age"\)/],
  ['required fields with arguments', /\(unit: GRAM\)"\)[\s\S]*@requires\(fields: "weight\(unit: KILO\)"\)/],
  ['required fields through objects', /@requires\(fields: "address \{ city \{ name zip \} \}"\)/],
  [
    'required fields through lists',
    /@requires\(fields: "chapters \{ title pages notes \{ text line \} \}"\)/,
  ],
  ['a provided field', /author: User @provides\(fields: "name"\)/],
  ['a provided field of a root', /topReviews.*@provides\(fields: "writer \{ name \}"\)/],
  ['an external field', /@external/],
  ['a shareable field', /name: String @shareable/],
  ['a shareable type', /type Money @shareable/],
  ['a root field of several subgraphs', /now: String @shareable/],
  ['a field that moved', /@override\(from: "archive"\)/],
  ['an inaccessible type', /type Prototype .*@inaccessible/],
  ['an inaccessible field', /secret: String @inaccessible/],
  ['an inaccessible enum value', /ROOT @inaccessible/],
  ['an inaccessible argument', /product\(id: ID!, debug: Boolean @inaccessible\)/],
  ['an inaccessible field of an input', /debug: Boolean @inaccessible\s+\}/],
  ['a list of lists of entities', /shelves: \[\[Product\]\]/],
  ['a custom scalar', /scalar JSON/],
])('the bazaar has %s', (_feature, text) => {
  expect(all).toMatch(text);
});

test('its subgraphs differ in enums, inputs, unions and interfaces of one name', () => {
  const definitions = (kind: Kind, name: string) =>
    new Set(
      documents.flatMap(({ definitions }) =>
        definitions.flatMap((one) =>
          one.kind === kind && 'name' in one && one.name?.value === name ? [JSON.stringify(names(one))] : [],
        ),
      ),
    ).size;
  expect(definitions(Kind.ENUM_TYPE_DEFINITION, 'Status')).toBe(3);
  expect(definitions(Kind.ENUM_TYPE_DEFINITION, 'MoodInput')).toBe(2);
  expect(definitions(Kind.INPUT_OBJECT_TYPE_DEFINITION, 'PeopleFilter')).toBe(2);
  expect(definitions(Kind.UNION_TYPE_DEFINITION, 'Subject')).toBe(2);
  expect(definitions(Kind.INTERFACE_TYPE_DEFINITION, 'Person')).toBe(2);
  expect(definitions(Kind.OBJECT_TYPE_DEFINITION, 'Dims')).toBe(3);
});

/** Every name in a definition. */
function names(definition: Parameters<typeof visit>[0]): string[] {
  const found: string[] = [];
  visit(definition, { Name: ({ value }) => void found.push(value) });
  return found;
}

test('clients see what all outputs can say, what all inputs take, and nothing that is inaccessible', () => {
  const members = (name: string): string[] => {
    const type = clientSchema.getType(name);
    if (isEnumType(type)) return type.getValues().map((value) => value.name);
    if (isUnionType(type)) return type.getTypes().map((member) => member.name);
    return isInputObjectType(type) ? Object.keys(type.getFields()) : [];
  };
  expect(members('Status').sort()).toEqual(['CLOSED', 'LOST', 'MODERATED', 'OPEN']);
  expect(members('MoodInput')).toEqual(['GLAD', 'SAD']);
  expect(members('RoleInput')).toEqual(['ADMIN', 'MEMBER']);
  expect(members('PeopleFilter').sort()).toEqual(['minAge', 'role']);
  expect(members('Role')).toEqual(['ADMIN', 'MEMBER']);
  expect(members('Subject').sort()).toEqual(['Film', 'User', 'Venue']);
  expect(members('Media').sort()).toEqual(['Book', 'Film', 'Poster']);
  expect(members('ProductFilter')).not.toContain('debug');
  expect(clientSchema.getType('Prototype')).toBeUndefined();
});
