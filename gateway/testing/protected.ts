import { composeServices } from '@apollo/composition';
import { parse } from 'graphql';

const protections = {
  '@authenticated': '@authenticated',
  '@requiresScopes': '@requiresScopes(scopes: [["read"]])',
  '@policy': '@policy(policies: [["owner"]])',
};
export type Protection = keyof typeof protections;

/** A supergraph with a field that not everybody may see. */
export function protectedSupergraph(protection: Protection): string {
  const link = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["${protection}"])`;
  const { errors, supergraphSdl } = composeServices([
    {
      name: 'secrets',
      url: 'http://127.0.0.1:1/graphql',
      typeDefs: parse(`${link} type Query { secret: Int ${protections[protection]} }`),
    },
  ]);
  if (!supergraphSdl) throw new Error(errors?.join('\n'));
  return supergraphSdl;
}

/** A supergraph with a field that has an argument from one above it. */
export function contextualSupergraph(): string {
  const link =
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@context", "@fromContext"])';
  const { errors, supergraphSdl } = composeServices([
    {
      name: 'accounts',
      url: 'http://127.0.0.1:1/graphql',
      typeDefs: parse(`${link}
        type User @key(fields: "id") @context(name: "user") { id: ID!  currency: String!  accounts: [Account!] }
        type Account @key(fields: "id") {
          id: ID!
          balance(in: String @fromContext(field: "$user { currency }")): String
        }
        type Query { users: [User!] }`),
    },
  ]);
  if (!supergraphSdl) throw new Error(errors?.join('\n'));
  return supergraphSdl;
}

/** The same without the word that it is about security, as somebody may have made it fit an old gateway. */
export const withoutPurpose = (supergraph: string): string => supergraph.replaceAll(', for: SECURITY', '');

/** The same by a version of the feature that does not exist yet. */
export const ofTheFuture = (supergraph: string): string =>
  supergraph.replaceAll(/(authenticated|requiresScopes|policy)\/v0\.1/g, '$1/v0.2');

/** A supergraph that needs a feature which nobody knows. */
export const unknownFeature = (supergraph: string, purpose: 'SECURITY' | 'EXECUTION'): string =>
  supergraph.replace(
    'schema\n',
    `schema\n  @link(url: "https://specs.example.org/magic/v0.1", for: ${purpose})\n`,
  );
