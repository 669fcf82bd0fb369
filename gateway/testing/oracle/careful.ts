import { type DocumentNode, type FieldNode, Kind, parse, print, visit } from 'graphql';
import type { Answer } from '../gateway.js';
import type { Question } from './duel.js';

const prefix = 'q__';

/**
 * The same question with names for all fields of the answer that no schema has. By section 6.3.2 of the GraphQL spec
 * it has the same answer but for these names. Apollo's planner fetches keys, required fields and type names under
 * their own names: where the client has given such a name to something else, or has arguments there, Apollo answers
 * the key, sends the wrong thing as the required value, fetches what no subgraph takes, or cannot plan. Asked like
 * this it is right.
 */
export function careful(question: Question): Question {
  return { ...question, query: print(renamed(parse(question.query))) };
}

const renamed = (document: DocumentNode): DocumentNode =>
  visit(document, {
    Field: (field): FieldNode => ({
      ...field,
      alias: { kind: Kind.NAME, value: prefix + (field.alias ?? field.name).value },
    }),
  });

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
            path: error.path.map((key: unknown) =>
              typeof key === 'string' && key.startsWith(prefix) ? key.slice(prefix.length) : key,
            ),
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
  const fields = Object.entries(value).map(([name, inner]) => [
    name.startsWith(prefix) ? name.slice(prefix.length) : name,
    shortened(inner),
  ]);
  return Object.fromEntries(fields);
}
