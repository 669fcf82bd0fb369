import type { GraphQLSchema } from 'graphql';
import type { Answer } from '../gateway.js';
import { comparable } from './answers.js';
import type { Question } from './duel.js';

export type Path = readonly (string | number)[];

/** An error without what differs from run to run. */
export interface PlainError {
  path: Path | undefined;
  /** All of it but the path. */
  text: string;
}

/** A place where two data differ; values are those of the outermost place where they are not alike. */
export interface Disagreement {
  path: Path;
  ours: unknown;
  oracle: unknown;
  /** They have the same fields in another order; in what else they differ stands for itself. */
  isOrder?: boolean;
}

/** Two answers to a question, and in what they differ. What explains a part of it takes it away. */
export interface Dispute {
  /** What clients see. */
  schema: GraphQLSchema;
  question: Question;
  ours: Answer;
  oracle: Answer;
  /** What GraphQL would not allow of the oracle's answer; of ours there is nothing. */
  complaintsOfOracle: readonly string[];
  data: Disagreement[];
  /** Errors that only one side has. */
  onlyOurs: PlainError[];
  onlyOracle: PlainError[];
}

export function disputeOf(given: Omit<Dispute, 'data' | 'onlyOurs' | 'onlyOracle'>): Dispute {
  const [ours, oracle] = [errorsOf(given.ours), errorsOf(given.oracle)];
  return {
    ...given,
    data: compare(given.ours.body.data, given.oracle.body.data, []),
    onlyOurs: without(ours, oracle),
    onlyOracle: without(oracle, ours),
  };
}

export const isSettled = ({ data, onlyOurs, onlyOracle }: Dispute): boolean =>
  data.length === 0 && onlyOurs.length === 0 && onlyOracle.length === 0;

export function errorsOf(answer: Answer): PlainError[] {
  return comparable(answer).errors.map((error) => {
    const { path, ...rest } = JSON.parse(error) as { path?: Path };
    return { path, text: JSON.stringify(rest) };
  });
}

/** What a list has more than another, counted. */
function without(list: readonly PlainError[], other: readonly PlainError[]): PlainError[] {
  const left = other.map((one) => JSON.stringify(one));
  return list.filter((one) => {
    const index = left.indexOf(JSON.stringify(one));
    if (index >= 0) left.splice(index, 1);
    return index < 0;
  });
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

function compare(ours: unknown, oracle: unknown, path: Path): Disagreement[] {
  if (JSON.stringify(ours) === JSON.stringify(oracle)) return [];
  const here = { path, ours, oracle };
  if (!isObject(ours) || !isObject(oracle) || Array.isArray(ours) !== Array.isArray(oracle)) return [here];
  const [keys, others] = [Object.keys(ours), Object.keys(oracle)];
  if ([...keys].sort().join() !== [...others].sort().join()) return [here];
  const inner = keys.flatMap((key) => {
    const step = Array.isArray(ours) ? Number(key) : key;
    return compare(ours[key as never], oracle[key as never], [...path, step]);
  });
  return keys.join() === others.join() ? inner : [{ ...here, isOrder: true }, ...inner];
}

/** Whether one path is the beginning of another, or all of it. */
export const leadsTo = (outer: Path, inner: Path): boolean =>
  outer.length <= inner.length && outer.every((key, index) => key === inner[index]);
