import type { Answer } from '../gateway.js';
import { type Comparable, comparable, equal } from './answers.js';
import { careful, uncareful } from './careful.js';
import type { Answers, Question } from './duel.js';

/** What is known of two answers that differ. */
export interface Dispute {
  question: Question;
  answers: Answers;
  ours: Comparable;
  oracle: Comparable;
  /** Puts another question to ApolloGateway. */
  askOracle(question: Question): Promise<Answer>;
}

/** A difference that is right: by what section of the GraphQL spec (October 2021), and how it is recognised. */
export interface KnownDifference {
  name: string;
  why: string;
  explains(dispute: Dispute): boolean | Promise<boolean>;
}

/**
 * Where our executor answers other than ApolloGateway and is right. Whatever is none of these is a bug; and an
 * answer that GraphQL does not allow (see `complaints`) is one even where it is.
 */
export const knownDifferences: readonly KnownDifference[] = [
  {
    name: 'the name of a key means what the client says',
    why: '6.3.2: a response name stands for the field that was asked for. Where it is that of a key or of a required field, Apollo answers the key, sends the wrong thing as the required value, or cannot plan. Asked with names that nothing else has, it agrees with us.',
    async explains({ question, ours, askOracle }) {
      return equal(ours, comparable(uncareful(await askOracle(careful(question)))));
    },
  },
  {
    name: 'a value of the wrong type has an error',
    why: '6.4.4: null in place of a value that does not fit is a field error, which the client is told with its path. Apollo says so in an extension, and only where there is no other error.',
    explains: ({ ours, oracle }) =>
      ours.data === oracle.data &&
      (ours.data === 'null' || isPart(oracle.errors, ours.errors)) &&
      ours.errors.every((error) => oracle.errors.includes(error) || hasPath(error)),
  },
  {
    name: 'a wrong value costs its own field',
    why: '6.4.4: the field of a value that does not fit is null, and the rest stands. Apollo gives up the whole answer where something is no list or no object.',
    explains: ({ question, ours, oracle }) =>
      question.faults !== undefined && oracle.data === undefined && ours.data !== undefined,
  },
  {
    name: 'errors stand where they belong',
    why: '7.1.2: the path of an error is that of its field. Apollo counts all entities at a place where it should count those that it asked for.',
    explains: ({ ours, oracle }) =>
      ours.data === oracle.data && isSame(ours.errors.map(withoutPath), oracle.errors.map(withoutPath)),
  },
  {
    name: 'an entity that is fetched once has its errors everywhere',
    why: '7.1.2: each field that failed has an error. We fetch an entity once, wherever it stands, and tell its errors at each of its places.',
    explains: ({ ours, oracle }) =>
      ours.data === oracle.data &&
      isSame(unique(ours.errors.map(withoutPath)), unique(oracle.errors.map(withoutPath))),
  },
  {
    name: 'nothing, zero and false are values',
    why: '6.4.3: a value is answered as it is. Apollo loses 0, false and the empty string where the planner has given a field another name.',
    explains: ({ ours, oracle }) =>
      isSame(ours.errors, oracle.errors) &&
      disagreements(ours, oracle)?.every(
        (one) => one.oracle === null && [0, '', false].includes(one.ours as never),
      ) === true,
  },
  {
    name: 'a field that is required with two arguments has two values',
    why: 'Federation, @requires: each field gets what it requires. Apollo sends one value for both.',
    explains: ({ question, ours, oracle }) =>
      /\bpostage\b/.test(question.query) &&
      /\bfreight\b/.test(question.query) &&
      isSame(ours.errors, oracle.errors) &&
      disagreements(ours, oracle)?.every((one) => isNumberOrNull(one.ours) && isNumberOrNull(one.oracle)) ===
        true,
  },
  {
    name: 'a valid query has an answer',
    why: '6.1: a request that is valid is executed. Apollo cannot plan some.',
    explains: ({ question, ours, oracle }) =>
      question.faults === undefined && oracle.data === undefined && ours.data !== undefined,
  },
];

const isNumberOrNull = (value: unknown): boolean => typeof value === 'number' || value === null;

const hasPath = (error: string): boolean => 'path' in (JSON.parse(error) as object);

function withoutPath(error: string): string {
  const { path: _path, ...rest } = JSON.parse(error) as { path?: unknown };
  return JSON.stringify(rest);
}

const unique = (list: readonly string[]): string[] => [...new Set(list)];

const isSame = (a: readonly string[], b: readonly string[]): boolean =>
  JSON.stringify([...a].sort()) === JSON.stringify([...b].sort());

/** Whether a list has everything of another, as often. */
function isPart(part: readonly string[], whole: readonly string[]): boolean {
  const left = [...whole];
  return part.every((one) => {
    const index = left.indexOf(one);
    if (index >= 0) left.splice(index, 1);
    return index >= 0;
  });
}

interface Disagreement {
  ours: unknown;
  oracle: unknown;
}

/** Where two data differ, as deep as they are alike; undefined where one has none. */
function disagreements(ours: Comparable, oracle: Comparable): Disagreement[] | undefined {
  if (ours.data === undefined || oracle.data === undefined) return undefined;
  return compare(JSON.parse(ours.data), JSON.parse(oracle.data));
}

function compare(ours: unknown, oracle: unknown): Disagreement[] {
  if (JSON.stringify(ours) === JSON.stringify(oracle)) return [];
  const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;
  if (!isObject(ours) || !isObject(oracle)) return [{ ours, oracle }];
  const [keys, others] = [Object.keys(ours), Object.keys(oracle)];
  if (keys.join() !== others.join() || Array.isArray(ours) !== Array.isArray(oracle))
    return [{ ours, oracle }];
  return keys.flatMap((key) => compare(ours[key as never], oracle[key as never]));
}
