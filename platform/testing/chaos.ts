import {
  buildSchema,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  isAbstractType,
  isEnumType,
  isListType,
  isNonNullType,
  isObjectType,
  isScalarType,
} from 'graphql';

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export interface ChaosContext {
  seed: number;
  /** How often things go wrong, 0 to 1. */
  trouble: number;
  calls: string[];
}

const sdl = `
  enum Kind { ONE TWO }
  interface Node { id: ID!  next: Node  kind: Kind }
  interface Named { name: String  owner: B! }
  type A implements Node & Named { id: ID!  next: Node  kind: Kind  name: String  owner: B!  b: B  bs: [B!]!  n(a: Int = 2, k: Kind): Int!  any: Any }
  type B implements Node & Named { id: ID!  next: Node  kind: Kind  name: String  owner: B!  a: A!  as: [A]  grid: [[A!]!]  n(a: Int = 2, k: Kind): Int!  nodes: [Node!]  anys: [Any!]!  mustNode: Node! }
  type C { x: Float  y: [Int!]!  c: C!  cs: [C!]  mustAny: Any!  m(a: Int): Int }
  union Any = A | B | C
  type Query { a: A  b: B!  c: C  as: [A!]!  bs: [B]  node: Node  nodes: [Node!]!  any: Any  some: [Any]  named: Named!  n(a: Int = 2, k: Kind): Int!  cGrid: [[C!]!]! }
  type Mutation { a: A  b: B!  c: C  n(a: Int!): Int!  m(a: Int): Int }
`;

/**
 * A schema whose resolvers do what chance, the same for a seed and a path, says: answer, at once or some turns
 * later, or fail, in all the ways in which a resolver can. A third of the fields have none: what they are is in
 * the source.
 */
export function chaosSchema(): GraphQLSchema {
  const schema = buildSchema(sdl);
  for (const type of Object.values(schema.getTypeMap())) {
    if (isAbstractType(type) && type.name !== 'Any') type.resolveType = typeName;
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    if (type.name !== 'A')
      type.isTypeOf = (value: { is?: string }, { seed }: ChaosContext) => {
        const is = value.is === type.name;
        return hash(seed, type.name) < 0.5 ? is : Promise.resolve(is);
      };
    for (const [name, field] of Object.entries(type.getFields()))
      if (hash(7, `${type.name}.${name}`) > 0.33) field.resolve = resolve;
  }
  // The union goes by isTypeOf; this one had none above.
  const a = schema.getType('A') as GraphQLObjectType;
  a.isTypeOf = (value: { is?: string }) => value.is === 'A';
  return schema;
}

function resolve(_source: unknown, args: object, context: ChaosContext, info: GraphQLResolveInfo): unknown {
  const keys: (string | number)[] = [];
  for (let at: GraphQLResolveInfo['path'] | undefined = info.path; at; at = at.prev) keys.unshift(at.key);
  const place = keys.join('.');
  context.calls.push(`${info.parentType.name}.${info.fieldName} ${place} ${JSON.stringify(args)}`);
  return some(info.returnType, place, context, info.schema);
}

function typeName(
  value: { is?: string },
  { seed }: ChaosContext,
): string | undefined | Promise<string | undefined> {
  return hash(seed, `type ${value.is}`) < 0.5 ? value.is : Promise.resolve(value.is);
}

/** A value of a type, or what is none. */
function some(type: GraphQLOutputType, place: string, context: ChaosContext, schema: GraphQLSchema): unknown {
  const chance = (of: string) => hash(context.seed, `${place} ${of}`);
  const make = (): unknown => {
    const bad = chance('trouble') / context.trouble;
    if (bad < 0.2) throw new Error(`thrown at ${place}`);
    if (bad < 0.35) return new Error(`returned at ${place}`);
    if (bad < 0.6) return null;
    if (bad < 0.7) return undefined;
    if (bad < 0.8) return Symbol.for('no value of anything');
    if (bad < 0.9) return { is: 'Nothing' };
    return proper(isNonNullType(type) ? type.ofType : type, place, context, schema);
  };
  const turns = Math.floor(chance('turns') * 10) - 4;
  return turns < 0 ? make() : later(turns, make);
}

async function later(turns: number, make: () => unknown): Promise<unknown> {
  for (let turn = 0; turn < turns; turn++) await null;
  return make();
}

function proper(
  type: GraphQLOutputType,
  place: string,
  context: ChaosContext,
  schema: GraphQLSchema,
): unknown {
  const chance = hash(context.seed, `${place} value`);
  if (isListType(type))
    return Array.from({ length: Math.floor(chance * 4) }, (_, at) => {
      try {
        return some(type.ofType, `${place}.${at}`, context, schema);
      } catch (error) {
        return error;
      }
    });
  if (isEnumType(type)) return chance < 0.5 ? 'ONE' : 'TWO';
  if (isScalarType(type))
    return type.name === 'ID' || type.name === 'String' ? `at ${place}` : Math.floor(chance * 100);
  const types = isAbstractType(type) ? schema.getPossibleTypes(type) : [type as GraphQLObjectType];
  const object = types[Math.floor(chance * types.length)] as GraphQLObjectType;
  return sourceOf(object, place, context, schema);
}

/** An object with a property for each field that has no resolver: a value, a method or a getter. */
function sourceOf(
  type: GraphQLObjectType,
  place: string,
  context: ChaosContext,
  schema: GraphQLSchema,
): object {
  const source = { is: type.name };
  for (const [name, field] of Object.entries(type.getFields())) {
    if (field.resolve) continue;
    const at = `${place}.${name}`;
    const get = () => some(field.type, at, context, schema);
    const method = hash(context.seed, `${at} method`) < 0.3;
    Object.defineProperty(source, name, method ? { value: get } : { get });
  }
  return source;
}

/** A number from 0 to 1 (FNV-1a, mixed). */
function hash(seed: number, text: string): number {
  let value = 0x811c9dc5 ^ seed;
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  return random(value)();
}
