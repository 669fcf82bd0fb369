import {
  type DocumentNode,
  type FieldNode,
  type GraphQLSchema,
  getNamedType,
  isObjectType,
  Kind,
  parse,
  print,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import { meaningOf } from '../../execute/planning/exclusive.js';
import { responseName } from '../../execute/selections.js';
import type { Answer } from '../gateway.js';
import type { Question } from './duel.js';

/** What a name of ours begins with, and the client's follows; the number tells apart what has one name there. */
const prefix = /^q\d*__/;

/**
 * The same question with names that no schema has for fields of the answer, and with the name of its type for each
 * object. By section 6.3.2 of the GraphQL spec it has the same answer but for these names. Apollo's planner
 * fetches keys, required fields and type names under their own names: where the client has given such a name to
 * something else, or has arguments there, Apollo answers the key, sends the wrong thing as the required value, fetches
 * what no subgraph takes, or cannot plan. Of an object whose type goes without saying it leaves out a fragment on the
 * type within one on its interface. Of what has one name and means different things below objects of different types,
 * it asks for both under that name. Asked like this it is right.
 */
export function careful(schema: GraphQLSchema, question: Question): Question {
  return { ...question, query: print(renamed(schema, parse(question.query))) };
}

function renamed(schema: GraphQLSchema, document: DocumentNode): DocumentNode {
  const info = new TypeInfo(schema);
  /** By a client's name, what it means in this document. */
  const meanings = new Map<string, string[]>();
  const nameOf = (field: FieldNode): string => {
    const name = responseName(field);
    const known = meanings.get(name) ?? [];
    meanings.set(name, known);
    const meaning = meaningOf(field);
    const number = known.includes(meaning) ? known.indexOf(meaning) : known.push(meaning) - 1;
    return `q${number === 0 ? '' : number}__${name}`;
  };
  return visit(
    document,
    visitWithTypeInfo(info, {
      Field: {
        leave({ selectionSet, ...field }): FieldNode {
          const { name, alias = name } = field;
          const value = nameOf(field);
          // A key that is asked for as such is fetched once, and is what it is.
          const isPlain =
            !selectionSet && alias.value === name.value && info.getFieldDef()?.args.length === 0;
          const type = getNamedType(info.getType());
          return {
            ...field,
            ...(!(isPlain && !name.value.startsWith('__')) && {
              alias: { kind: Kind.NAME, value },
            }),
            ...(selectionSet && {
              selectionSet:
                isObjectType(type) && !type.name.startsWith('__')
                  ? { ...selectionSet, selections: [typename, ...selectionSet.selections] }
                  : selectionSet,
            }),
          };
        },
      },
    }),
  );
}

const typename: FieldNode = { kind: Kind.FIELD, name: { kind: Kind.NAME, value: '__typename' } };

/** The answer to a careful question as that to the question itself. */
export function uncareful({ status, body }: Answer): Answer {
  const { data, errors, ...rest } = body;
  return {
    status,
    body: {
      ...rest,
      ...('data' in body && { data: shortened(data) }),
      ...(errors && {
        errors: errors.map((error) => ({
          ...error,
          ...(Array.isArray(error.path) && {
            path: error.path.map((key: unknown) => (typeof key === 'string' ? key.replace(prefix, '') : key)),
          }),
        })),
      }),
    },
  };
}

function shortened(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shortened);
  if (typeof value !== 'object' || value === null) return value;
  // Not assigned but defined, or a client's alias __proto__ would be lost.
  const fields = Object.entries(value).flatMap(([name, inner]) =>
    name === typename.name.value ? [] : [[name.replace(prefix, ''), shortened(inner)]],
  );
  return Object.fromEntries(fields);
}
