import { type DocumentNode, type FieldNode, Kind, parse, print, visit } from 'graphql';
import type { Answer } from '../gateway.js';
import type { Question } from './duel.js';

const prefix = 'q__';

/**
 * The same question with names for all fields of the answer that no schema has. Apollo's planner fetches the keys and
 * the required fields under their own names, and is wrong where the client has given such a name to something
 * else; asked like this it is right.
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
