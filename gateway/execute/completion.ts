import type { Entity } from './entity.js';

/** What is found while an answer is completed. */
export interface Completion {
  readonly variables: Readonly<Record<string, unknown>>;
  /** Whether something did not fit its type. */
  isWrong: boolean;
  /** Where completing is; undefined unless places are wanted, which cost time. */
  path: (string | number)[] | undefined;
  /** The places of what did not fit its type, where `path` is kept. */
  wrong: (string | number)[][];
  /** Whether there was nothing where something has to be. */
  isMissing: boolean;
  /** The places of that, and which object lacks it, where `path` is kept. */
  missing: Missing[];
  /** The object that is being completed. */
  within: Entity | undefined;
  repeated: Repeated;
}

export interface Missing {
  path: (string | number)[];
  within: Entity | undefined;
}

/** Objects that stand in several places of an answer, and what each way to complete them made of them. */
export type Repeated = Map<Entity, Map<CompleteObject, Entity | null>>;

/** The completed value; null where it may be null and is, undefined where it is null and may not be. */
export type Complete = (value: unknown, completion: Completion) => unknown;
export type CompleteObject = (source: Entity, completion: Completion) => Entity | undefined;
