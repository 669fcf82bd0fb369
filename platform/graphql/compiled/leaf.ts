import {
  GraphQLBoolean,
  GraphQLFloat,
  GraphQLID,
  GraphQLInt,
  type GraphQLLeafType,
  type GraphQLScalarType,
  GraphQLString,
} from 'graphql';
import { inspect } from 'graphql/jsutils/inspect.js';

const isString = (value: unknown): boolean => typeof value === 'string';

/** Which values of graphql's own scalars are written as they are; unless their `serialize` has been replaced. */
const plain = new Map<GraphQLLeafType, { isPlain: (value: unknown) => boolean; serialize: unknown }>(
  (
    [
      [GraphQLString, isString],
      [GraphQLID, isString],
      [GraphQLBoolean, (value) => typeof value === 'boolean'],
      // Smaller than the 32 bits of an Int: the edges are left to graphql.
      [GraphQLInt, (value) => typeof value === 'number' && value === (value | 0)],
      [GraphQLFloat, (value) => typeof value === 'number' && Number.isFinite(value)],
    ] satisfies [GraphQLScalarType, (value: unknown) => boolean][]
  ).map(([type, isPlain]) => [type, { isPlain, serialize: type.serialize }]),
);

/**
 * How values of a scalar or enum, which are not null, are written. It throws what its `serialize` throws, and where
 * that gives nothing.
 */
export function serializer(type: GraphQLLeafType): (value: unknown) => unknown {
  function serialize(value: unknown): unknown {
    const serialized: unknown = type.serialize(value);
    if (serialized !== null && serialized !== undefined) return serialized;
    throw new Error(
      `Expected \`${inspect(type)}.serialize(${inspect(value)})\` to return non-nullable value, ` +
        `returned: ${inspect(serialized)}`,
    );
  }
  const known = plain.get(type);
  if (!known || known.serialize !== type.serialize) return serialize;
  const { isPlain } = known;
  return (value) => (isPlain(value) ? value : serialize(value));
}
