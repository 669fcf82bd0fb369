import type { Answer } from '../gateway.js';
import { ambiguousNames } from './ambiguous.js';
import { askedBy } from './asked.js';
import { leadsSomewhere } from './conformance.js';
import { type Disagreement, type Dispute, errorsOf, leadsTo, type Path, type PlainError } from './dispute.js';
import { requireDifferently, requiring, requiringParts } from './requirements.js';

/** A difference that is right, and by what section of the GraphQL spec (October 2021). */
export interface KnownDifference {
  name: string;
  why: string;
  /** Takes away from a dispute what it explains. */
  settle(dispute: Dispute): void;
}

/**
 * Where our executor answers other than ApolloGateway and is right. Whatever is none of these is a bug; and an
 * answer of ours that GraphQL does not allow (see `complaints`) is one in any case.
 */
export const knownDifferences: readonly KnownDifference[] = [
  {
    name: 'what would be wrong is refused',
    why: 'Federation, @requires: each field gets what it requires. Where two fields of an object require a third with different arguments, Apollo has one place for both values, and answers one of them with the wrong one.',
    settle(dispute) {
      const { schema, question, ours } = dispute;
      const names = new Set(askedBy(question).map(({ node }) => node.name.value));
      const isRight = (ours.body.errors ?? []).some(({ message }) => {
        const [, a = '', b = '', needed = ''] = refusedNeeds.exec(message) ?? [];
        const areAsked = [a, b].every((place) => names.has(place.split('.')[1] ?? ''));
        return areAsked && requireDifferently(schema, [a, b], needed);
      });
      if (isRight && ours.body.data === undefined) settleAll(dispute);
    },
  },
  {
    name: 'a condition is true or false',
    why: '6.1.2: what is wrong with variables is a request error. `$v: Boolean = true` may be null, and `@skip(if: $v)` may not; Apollo answers that with an internal error, or does not look.',
    settle(dispute) {
      const { ours, question } = dispute;
      const [only] = ours.body.errors ?? [];
      const isRefused = only?.message.includes('decides what is selected; it is true or false') ?? false;
      if (isRefused && question.variables?.[String(only?.extensions?.['field'])] === null) settleAll(dispute);
    },
  },
  {
    name: 'a valid query has an answer',
    why: '6.1: a request that is valid is executed. Apollo cannot plan some.',
    settle(dispute) {
      const { question, ours, oracle } = dispute;
      if (oracle.body.data !== undefined || ours.body.data === undefined) return;
      const [only, ...more] = errorsOf(oracle);
      // Ours may have an error that reads the same.
      const isUnplanned = only !== undefined && isInternal(only) && more.length === 0;
      if (!question.faults || isUnplanned) settleAll(dispute);
    },
  },
  {
    name: 'one error is enough for a null',
    why: '6.4.4: of the fields that may not be null and take a value along, one is told of. Which of them are is up to the order of a plan, and to whether Apollo has something made of half a value.',
    settle(dispute) {
      if (!dispute.question.faults) return;
      const placeIn = ({ body }: Answer, { path }: PlainError) => path && nullAbove(body.data, path)?.join();
      const left = (errors: readonly PlainError[], [own, other]: [Answer, Answer]) => {
        const told = new Set(errorsOf(other).map((error) => placeIn(other, error)));
        const isTold = (place: string | undefined) => place !== undefined && told.has(place);
        return errors.filter((error) => !isTold(placeIn(own, error)));
      };
      const { ours, oracle } = dispute;
      dispute.onlyOurs = left(dispute.onlyOurs, [ours, oracle]);
      dispute.onlyOracle = left(dispute.onlyOracle, [oracle, ours]);
    },
  },
  {
    name: 'a wrong value costs its own field',
    why: '6.4.4: the field of a value that does not fit is null, and the rest stands. Apollo gives up the whole answer, or the rest of that of a fetch, where something is no list or no object, or is one in place of a key; what it gives up may be the type of an object, which then is not hidden.',
    settle(dispute) {
      const { question, ours, oracle } = dispute;
      if (!question.faults || ours.body.data === undefined) return;
      const lost = dispute.onlyOracle.filter((error) => !error.path && isInternal(error));
      if (lost.length === 0) return;
      if (oracle.body.data === undefined) {
        if (errorsOf(oracle).length === 1) settleAll(dispute);
        return;
      }
      if (question.faults.kind !== 'fields' || ours.body.data === null) return;
      const isLost = (path: Path | undefined) => path && leadsThroughNull(oracle.body.data, path);
      dispute.onlyOracle = dispute.onlyOracle.filter((one) => !lost.includes(one));
      dispute.onlyOurs = dispute.onlyOurs.filter(({ path }) => !isLost(path));
      const isHidden = (one: Disagreement) =>
        one.ours === null &&
        isObject(one.oracle) &&
        !errorsOf(ours).some(({ path }) => path && leadsTo(one.path, path));
      dispute.data = dispute.data.filter((one) => !hasMore(one.ours, one.oracle) && !isHidden(one));
    },
  },
  {
    name: 'a value of the wrong type has an error',
    why: '6.4.4: null in place of a value that does not fit is a field error, which the client is told with its path. Apollo says so in an extension, and only where there is no other error; some values it answers as they are, or asks others about.',
    settle(dispute) {
      if (!dispute.question.faults) return;
      dispute.onlyOurs = dispute.onlyOurs.filter((error) => {
        if (!error.text.includes('something else than its schema says') || !error.path) return true;
        const { path } = error;
        dispute.data = dispute.data.filter((one) => !(one.ours === null && leadsTo(one.path, path)));
        // Nobody else is asked about what is of no type.
        if (valueAt(dispute.ours.body.data, path) === null)
          dispute.onlyOracle = dispute.onlyOracle.filter((one) => !one.path || !leadsTo(path, one.path));
        return !leadsSomewhere(dispute.ours.body.data, path);
      });
    },
  },
  {
    name: 'nothing is made of half a value',
    why: 'Federation, @requires: a field gets what it requires. Where a subgraph answers something else in place of a value, Apollo shows null in place of that, and answers what is made of it.',
    settle(dispute) {
      if (dispute.question.faults?.kind !== 'fields') return;
      const asked = askedBy(dispute.question).filter(({ node }) => requiringParts.has(node.name.value));
      const places = new Set(asked.map(({ path }) => path.join()));
      const placeOf = (path: Path) => path.filter((step) => typeof step === 'string').join();
      dispute.data = dispute.data.filter(({ path, ours }) => ours !== null || !places.has(placeOf(path)));
    },
  },
  {
    name: 'what an object lacks for one field costs none of its others',
    why: 'Federation, @requires: a field needs what it requires, and no other field does. Where fetching that has failed, Apollo asks for none of the fields that it would have fetched together.',
    settle(dispute) {
      if (!dispute.question.faults) return;
      const made = askedBy(dispute.question).filter(({ node }) => requiring.has(node.name.value));
      const { data } = dispute.ours.body;
      // Of an object of which nothing else is wanted nobody is asked for more.
      const isForMore = (path: Path) => Object.keys(valueAt(data, path) ?? { all: 0, lost: 0 }).length > 1;
      const holders = made.flatMap(({ path }) => holdersOfNull(data, path)).filter(isForMore);
      const isNear = (path: Path) =>
        holders.some(
          (holder) => leadsTo(path, holder) || (leadsTo(holder, path) && path.length === holder.length + 1),
        );
      dispute.data = dispute.data.filter(
        ({ path, ours, oracle }) => ours === null || oracle !== null || !isNear(path),
      );
      dispute.onlyOurs = dispute.onlyOurs.filter(({ path }) =>
        path
          ? !holders.some((holder) => leadsTo(holder, path) || leadsTo(path, holder))
          : holders.length === 0,
      );
    },
  },
  {
    name: 'null takes nothing away',
    why: 'Two subgraphs are asked at once for a root field that both have, and one of them knows nothing. Apollo answers what came last, ours what is known.',
    settle(dispute) {
      const shared = askedBy(dispute.question)
        .filter(({ path, node }) => path.length === 1 && node.name.value === 'user')
        .map(({ path }) => path[0]);
      dispute.data = dispute.data.filter(
        ({ path: [name, ...more], oracle }) =>
          oracle !== null || more.length > 0 || !shared.includes(String(name)),
      );
    },
  },
  {
    name: 'null where there may be none has an error',
    why: '6.4.4: it takes what holds it along, and is told of with its path. Apollo answers the same null without a word, where it has planned to ask for all entities with what some of them alone have.',
    settle(dispute) {
      const [ours, oracle] = [dispute.ours.body.data, dispute.oracle.body.data];
      const isTold = (path: Path) =>
        leadsThroughNull(ours, path.slice(0, -1)) && leadsThroughNull(oracle, path.slice(0, -1));
      dispute.onlyOurs = dispute.onlyOurs.filter(
        ({ path, text }) => !path || !text.includes('something else than its schema says') || !isTold(path),
      );
    },
  },
  {
    name: 'an ID is a text',
    why: '3.5.5: an ID is serialised as a String. Apollo answers a number as it is.',
    settle(dispute) {
      dispute.data = dispute.data.filter(
        ({ ours, oracle }) => typeof oracle !== 'number' || ours !== String(oracle),
      );
    },
  },
  {
    name: 'a name means what the type of its holder says',
    why: '6.3.2: fields are collected for the type of each object. Below objects of different types Apollo has one place for what has one name. Without faults it is asked carefully about that.',
    settle(dispute) {
      const { schema, question } = dispute;
      if (!question.faults) return;
      const names = ambiguousNames(schema, question);
      const isMeant = ({ path = [] }: { path: Path | undefined }) =>
        path.some((step) => names.has(String(step)));
      dispute.data = dispute.data.filter((one) => !isMeant(one));
      dispute.onlyOurs = dispute.onlyOurs.filter((one) => !isMeant(one));
      dispute.onlyOracle = dispute.onlyOracle.filter((one) => !isMeant(one));
    },
  },
  {
    name: 'an object has the name of its type',
    why: '4.1.4: __typename is the name of the object type. Apollo answers what a subgraph says, be it of another kind.',
    settle(dispute) {
      dispute.data = dispute.data.filter(
        ({ path, oracle }) =>
          !dispute.complaintsOfOracle.some((one) =>
            one.startsWith(`${JSON.stringify(oracle)} at ${path.slice(0, -1).join('.')}, a `),
          ),
      );
    },
  },
  {
    name: 'null up to the root has an error',
    why: '6.4.4: null where there may be none has an error with its path. Apollo has none where values were merely missing, and the gateway then tells of an internal error.',
    settle(dispute) {
      if (dispute.ours.body.data !== null || dispute.oracle.body.data !== null) return;
      dispute.onlyOracle = dispute.onlyOracle.filter((error) => error.path || !isInternal(error));
    },
  },
  {
    name: 'errors stand where they belong',
    why: '7.1.2: the path of an error is that of its field. Apollo counts all entities at a place where it should count those that it asked for, and makes up a path for an error of none of them.',
    settle(dispute) {
      const { data } = dispute.ours.body;
      for (const error of [...dispute.onlyOurs]) {
        const other = dispute.onlyOracle.find(({ text }) => text === error.text);
        if (!other?.path) continue;
        const isRight = error.path
          ? leadsSomewhere(data, error.path.slice(0, -1))
          : !leadsSomewhere(data, other.path);
        if (!isRight) continue;
        dispute.onlyOurs = dispute.onlyOurs.filter((one) => one !== error);
        dispute.onlyOracle = dispute.onlyOracle.filter((one) => one !== other);
      }
    },
  },
  {
    name: 'what nobody asked for has no errors',
    why: '7.1.2: an error is of a field that was asked for. ApolloGateway is asked of all what was asked of some, where it cannot plan the other, and it asks for some on no condition.',
    settle(dispute) {
      if (dispute.question.faults) return;
      const { data } = dispute.ours.body;
      dispute.onlyOracle = dispute.onlyOracle.filter(({ path }) => !path || leadsSomewhere(data, path));
    },
  },
  {
    name: 'an entity that is fetched once has its errors everywhere',
    why: '7.1.2: each field that failed has an error. We fetch an entity once, wherever it stands, and tell its errors at each of its places; the error of a whole fetch stands once for each that was made.',
    settle(dispute) {
      const knows = (errors: readonly PlainError[], { text }: PlainError) =>
        errors.some((one) => one.text === text);
      const [ours, oracle] = [errorsOf(dispute.ours), errorsOf(dispute.oracle)];
      dispute.onlyOurs = dispute.onlyOurs.filter((error) => !knows(oracle, error));
      dispute.onlyOracle = dispute.onlyOracle.filter((error) => !knows(ours, error));
    },
  },
  {
    name: 'fields stand in the order of the query',
    why: '6.3.2: response names are in the order in which they are met. Apollo merges fragments on the same type first.',
    settle(dispute) {
      // That ours is the right one is seen by `complaints`.
      dispute.data = dispute.data.filter(({ isOrder }) => !isOrder);
    },
  },
  {
    name: 'nothing, zero and false are values',
    why: '6.4.3: a value is answered as it is. Apollo loses 0, false and the empty string where the planner has given a field another name.',
    settle(dispute) {
      const falsy: unknown[] = [0, '', false];
      dispute.data = dispute.data.filter(({ ours, oracle }) => oracle !== null || !falsy.includes(ours));
    },
  },
];

const isInternal = ({ text }: PlainError): boolean => text.includes('INTERNAL_SERVER_ERROR');

const refusedNeeds =
  /^(\S+) and (\S+) need (\S+) with different arguments: ask for them in two operations\.$/;

/** Whether a value has all that another has, and more; null has nothing. */
function hasMore(ours: unknown, oracle: unknown): boolean {
  if (oracle === null) return ours !== null;
  if (!isObject(ours) || !isObject(oracle)) return false;
  const fields = new Map(Object.entries(ours));
  const others = Object.entries(oracle);
  const isLess = (value: unknown, own: unknown) =>
    JSON.stringify(own) === JSON.stringify(value) || hasMore(own, value);
  return others.length < fields.size && others.every(([name, value]) => isLess(value, fields.get(name)));
}

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Whether what a path leads to is under a null, or is one. */
const leadsThroughNull = (data: unknown, path: Path): boolean =>
  path.some((_key, index) => valueAt(data, path.slice(0, index + 1)) === null);

/** The places of objects of which response names lead to null, and of those that are null on the way. */
function holdersOfNull(data: unknown, names: readonly string[], path: Path = []): Path[] {
  if (Array.isArray(data)) return data.flatMap((item, index) => holdersOfNull(item, names, [...path, index]));
  const [name, ...more] = names;
  if (data === null) return [name === undefined ? path.slice(0, -1) : path];
  if (name === undefined || !isObject(data)) return [];
  return holdersOfNull(data[name as never], more, [...path, name]);
}

/** The place of the null that what a path leads to is lost with. */
function nullAbove(data: unknown, path: Path): Path | undefined {
  const length = path.findIndex((_key, index) => valueAt(data, path.slice(0, index)) === null);
  return length < 0 ? undefined : path.slice(0, length);
}

const valueAt = (data: unknown, path: Path): unknown =>
  path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown> | undefined)?.[key], data);

/** What stands in `known` where ApolloGateway agrees as soon as it is asked otherwise, in words that mean the same. */
export const otherwise = {
  /** See careful.ts. */
  carefully: 'response names mean what the client says',
  /** See conditions.ts. */
  unconditionally: 'what is left out is as if it were not there, and what is not is there',
  /** See conditions.ts. */
  apart: 'a condition of a field is one of a fragment around it',
  /** See unveiled.ts. */
  ofAll: 'what an object lacks for one field costs none of its others',
  /** Where two fetches answer one object, one with its type and one with its interface, Apollo goes by what comes last. */
  typed: 'an object has the type that somebody tells',
  /** See unveiled.ts. What is told depends on who is asked for what else. */
  told: 'an object whose type is hidden is there as long as nobody tells',
  /** Where a field has one type, Apollo goes by what a subgraph calls it, and drops an object that has another's name. */
  named: 'an object is of the type of its field',
};

/** All of it is explained. */
function settleAll(dispute: Dispute): void {
  Object.assign(dispute, { data: [], onlyOurs: [], onlyOracle: [] });
}
