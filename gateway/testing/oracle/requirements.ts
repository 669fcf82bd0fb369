import {
  type FieldNode,
  type GraphQLSchema,
  getArgumentValues,
  isInterfaceType,
  isObjectType,
  Kind,
  parse,
  visit,
} from 'graphql';
import { parseFieldSet } from '../../execute/planning/needs.js';
import { bazaarSdl } from '../bazaar/supergraph.js';

/** The fields that each field of the bazaar requires, by `Type.field`. */
const requirements = new Map<string, FieldNode[]>();
for (const sdl of Object.values(bazaarSdl))
  visit(parse(sdl), {
    ObjectTypeDefinition({ name: type, fields = [] }) {
      for (const { name, directives = [] } of fields) {
        const value = directives.find((one) => one.name.value === 'requires')?.arguments?.[0]?.value;
        const set = value?.kind === Kind.STRING ? parseFieldSet(value.value) : undefined;
        if (!set) continue;
        const required: FieldNode[] = [];
        visit(set, { Field: (field) => void required.push(field) });
        requirements.set(`${type.value}.${name.value}`, required);
      }
    },
  });

const namesOf = (fields: readonly [string, readonly FieldNode[]][]): ReadonlySet<string> =>
  new Set(fields.map(([place]) => place.slice(place.indexOf('.') + 1)));

/** The names of the fields that require others. */
export const requiring = namesOf([...requirements]);

/** The names of the fields that require parts of values. */
export const requiringParts = namesOf(
  [...requirements].filter(([, required]) => required.some(({ selectionSet }) => selectionSet)),
);

/** Whether two fields of the bazaar require a third with arguments that differ, those with defaults included. */
export function requireDifferently(schema: GraphQLSchema, [a, b]: [string, string], needed: string): boolean {
  const [typeName = '', fieldName = ''] = needed.split('.');
  const type = schema.getType(typeName);
  const definition = isObjectType(type) || isInterfaceType(type) ? type.getFields()[fieldName] : undefined;
  if (!definition) return false;
  const valuesOf = (place: string): string[] =>
    (requirements.get(place) ?? [])
      .filter(({ name }) => name.value === fieldName)
      .map((field) => JSON.stringify(getArgumentValues(definition, field)));
  const others = valuesOf(b);
  return valuesOf(a).some((values) => others.some((other) => other !== values));
}
