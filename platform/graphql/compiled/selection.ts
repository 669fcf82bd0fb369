import type { FieldNode, GraphQLObjectType } from 'graphql';
import { compileField, type ResolveField } from './field.js';
import type { Plan, Selection } from './plan.js';
import { isPromise } from './run.js';

type Fields = ReadonlyMap<string, readonly FieldNode[]>;
type Answer = Record<string, unknown>;
/** The fields that are not there yet. */
interface Waiting {
  keys: string[];
  values: PromiseLike<unknown>[];
}

function compile(plan: Plan, type: GraphQLObjectType, fields: Fields) {
  const keys = [...fields.keys()];
  const resolvers = [...fields].map(([key, nodes]) => compileField(plan, type, key, nodes));
  // Answers are copies of this: all of one hidden class, their keys in order, `__proto__` a key like any other.
  const template: Answer = {};
  for (const key of keys)
    Object.defineProperty(template, key, {
      value: null,
      writable: true,
      enumerable: true,
      configurable: true,
    });
  return { keys, resolvers, template };
}

/** All fields at once, as the fields of queries and objects are. */
export function compileSelection(plan: Plan, type: GraphQLObjectType, fields: Fields): Selection {
  const { keys, resolvers, template } = compile(plan, type, fields);
  return (run, source, path) => {
    const answer = { ...template };
    let waiting: Waiting | undefined;
    try {
      for (let at = 0; at < keys.length; at++) {
        const key = keys[at] as string;
        const value = (resolvers[at] as ResolveField)(run, source, path);
        if (isPromise(value)) {
          waiting ??= { keys: [], values: [] };
          waiting.keys.push(key);
          waiting.values.push(value);
        } else answer[key] = value;
      }
    } catch (error) {
      if (!waiting) throw error;
      // The others may fail too, and are waited for: nobody else would hear of it.
      return settle(answer, waiting).finally(() => {
        throw error;
      });
    }
    return waiting ? settle(answer, waiting) : answer;
  };
}

function settle(answer: Answer, { keys, values }: Waiting): Promise<Answer> {
  return Promise.all(values).then((resolved) => {
    for (let at = 0; at < keys.length; at++) answer[keys[at] as string] = resolved[at];
    return answer;
  });
}

/** One field after the other, as those of a mutation are. */
export function compileSerialSelection(plan: Plan, type: GraphQLObjectType, fields: Fields): Selection {
  const { keys, resolvers, template } = compile(plan, type, fields);
  return (run, source, path) => {
    const answer = { ...template };
    const step = (at: number): unknown => {
      const key = keys[at] as string;
      const value = (resolvers[at] as ResolveField)(run, source, path);
      if (isPromise(value))
        return value.then((resolved) => {
          answer[key] = resolved;
          return answer;
        });
      answer[key] = value;
      return answer;
    };
    let last: unknown = answer;
    for (let at = 0; at < keys.length; at++) last = isPromise(last) ? last.then(() => step(at)) : step(at);
    return last;
  };
}
