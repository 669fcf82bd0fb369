import { GraphQLScalarType, valueFromASTUntyped } from 'graphql';

/**
 * A scalar that takes any value in: the domain says what is wrong with it, with a code and a field. A
 * scalar that refuses in a subgraph would reach the client as a bare "400: Bad Request".
 */
const lenient = (name: string, serialize: (value: unknown) => unknown = (value) => value) =>
  new GraphQLScalarType({
    name,
    serialize,
    parseValue: (value) => value,
    parseLiteral: (node, variables) => valueFromASTUntyped(node, variables),
  });

const iso = (value: unknown) => (value instanceof Date ? value.toISOString() : value);

/** The custom scalars of the surface; each subgraph's SDL declares those that it uses. */
export const scalars = {
  DateTime: lenient('DateTime', iso),
  Decimal: lenient('Decimal'),
  CurrencyCode: lenient('CurrencyCode'),
  EmailAddress: lenient('EmailAddress'),
  PhoneNumber: lenient('PhoneNumber'),
  Cursor: lenient('Cursor'),
  JSON: lenient('JSON'),
};
