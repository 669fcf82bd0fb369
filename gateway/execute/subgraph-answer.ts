import type { GraphQLFormattedError } from 'graphql';
import { type Entity, isEntity } from './entity.js';
import { subgraphErrors } from './subgraph-errors.js';

export interface SubgraphAnswer {
  data?: Entity | null;
  errors?: GraphQLFormattedError[];
}

export interface ReadAnswer {
  given: SubgraphAnswer;
  /** Whether there were errors that are none, of which nobody can be told. */
  isBroken: boolean;
}

/** Reads what a subgraph answered or told, once it is JSON. Undefined where it is no GraphQL: nothing without a reason is none. */
export function readAnswer(answer: unknown): ReadAnswer | undefined {
  if (!isEntity(answer)) return undefined;
  const { data = null } = answer;
  const { errors, isBroken } = readErrors(answer['errors']);
  if (data === null) return errors.length > 0 ? { given: { data, errors }, isBroken } : undefined;
  if (!isEntity(data)) return undefined;
  return { given: errors.length > 0 ? { data, errors } : { data }, isBroken };
}

/** What there is of errors; a subgraph without any may say null or an empty list. */
export function readErrors(given: unknown): { errors: GraphQLFormattedError[]; isBroken: boolean } {
  if (given === undefined || given === null) return { errors: [], isBroken: false };
  if (!Array.isArray(given)) return { errors: [], isBroken: true };
  const errors = given.filter(isError);
  return { errors: subgraphErrors(errors), isBroken: errors.length < given.length };
}

const isError = (value: unknown): value is GraphQLFormattedError =>
  isEntity(value) && typeof value['message'] === 'string';
