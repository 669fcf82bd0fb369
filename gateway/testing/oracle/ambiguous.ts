import { type GraphQLSchema, getOperationAST, isObjectType, parse } from 'graphql';
import { ambiguousMeanings } from '../../execute/planning/exclusive.js';
import { operationOf } from '../../execute/selections.js';
import type { Question } from './duel.js';

/** The response names of a question that mean different things below objects of different types. */
export function ambiguousNames(schema: GraphQLSchema, { query }: Question): ReadonlySet<string> {
  const document = parse(query);
  if (!getOperationAST(document)) return new Set();
  // Of which interfaces a subgraph makes objects, clients do not see: it may be any.
  const veiled = new Set(
    Object.values(schema.getTypeMap()).flatMap((type) =>
      isObjectType(type) && type.getInterfaces().length > 0 ? type.name : [],
    ),
  );
  const meanings = ambiguousMeanings(schema, operationOf(document, undefined), veiled);
  return new Set([...meanings].map((meaning) => meaning.slice(0, meaning.indexOf(':'))));
}
