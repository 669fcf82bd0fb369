import type { ExecutionResult } from 'graphql';
import { LRUCache } from 'lru-cache';
import { fraction, hash } from '../random.js';
import { type FaultPlan, noFaults } from './faults.js';

/** What a whole subgraph can do wrong. */
const outages = [
  'not found',
  'invalid JSON',
  'no GraphQL',
  'no data',
  'no data, errors',
  'null data, errors',
  'errors beside data',
  'no entities',
  'too few entities',
  'too many entities',
  'entities that are no list',
  'error of the list',
  'error of no place',
] as const;
type Outage = (typeof outages)[number] | 'hang' | 'HTTP 500';

/** Which faults a request has: none, in fields, of whole subgraphs, or those that open circuits and take time. */
export type FaultKind = 'none' | 'fields' | 'outage' | 'crash';

/** What a request is to meet. */
export interface Circumstances {
  faults?: { kind: FaultKind; seed: string } | undefined;
  /** Whether entities, or what is within them too, do not say the name of an interface, which is not that of their type. */
  hidesInterfaceNames?: 'entities' | 'within' | undefined;
  /** Whether faults leave the names of types as they are. */
  sparesNames?: boolean | undefined;
}

/** A request id that tells subgraphs of its circumstances; `run` tells one run of the same query from another. */
export const requestId = (
  { faults, hidesInterfaceNames, sparesNames = false }: Circumstances,
  run: string,
): string => [faults?.kind ?? 'none', faults?.seed ?? '', run, hidesInterfaceNames, sparesNames].join('.');

/** The names of the mutations that ran, by request; those of old requests are forgotten. */
const entriesOf = new LRUCache<string, string[]>({ max: 1_000 });

/** What a subgraph is to do with a request of this id. */
export function readRequest(subgraph: string, id: string) {
  const [kind, seed = '', , hides, spares] = id.split('.') as [FaultKind, ...string[]];
  let entries = entriesOf.get(id);
  if (!entries) {
    entries = [];
    entriesOf.set(id, entries);
  }
  const rates = [0.01, 0.04, 0.15];
  const faults: FaultPlan =
    kind === 'fields'
      ? { seed, rate: rates[hash(`rate ${seed}`) % rates.length] as number, sparesNames: spares === 'true' }
      : noFaults;
  return {
    context: { faults, entries },
    outage: outageOf(kind, `${subgraph} ${seed}`),
    hidesInterfaceNames: (hides || undefined) as Circumstances['hidesInterfaceNames'],
  };
}

function outageOf(kind: FaultKind, place: string): Outage | null {
  if (kind === 'outage' && fraction(place) < 0.4)
    return outages[hash(`kind ${place}`) % outages.length] as Outage;
  if (kind === 'crash' && fraction(place) < 0.4) return hash(`kind ${place}`) % 2 === 0 ? 'hang' : 'HTTP 500';
  return null;
}

const error = { message: 'Not today.', extensions: { code: 'OUT_OF_ORDER' } };

/** The HTTP answer to a fetch; null for none at all. */
export function answerOf(
  result: ExecutionResult,
  outage: Outage | null,
): { status: number; body: string } | null {
  const ok = (body: unknown) => ({ status: 200, body: JSON.stringify(body) });
  const list = result.data?.['_entities'];
  const entities = (value: unknown) =>
    ok(Array.isArray(list) ? { ...result, data: { ...result.data, _entities: value } } : result);
  switch (outage) {
    case null:
      return ok(result);
    case 'hang':
      return null;
    case 'HTTP 500':
      return { status: 500, body: 'Internal Server Error' };
    case 'not found':
      return { status: 404, body: '<html>Not found</html>' };
    case 'invalid JSON':
      return { status: 200, body: JSON.stringify(result).slice(0, -1) };
    case 'no GraphQL':
      return ok({ ok: true });
    case 'no data':
      return ok({ data: null });
    case 'no data, errors':
      return ok({ errors: [error] });
    case 'null data, errors':
      return ok({ errors: [error, { message: 'A bug.' }], data: null });
    case 'errors beside data':
      return ok({ ...result, errors: [...(result.errors ?? []), error] });
    case 'no entities':
      return ok({ ...result, data: {} });
    case 'too few entities':
      return entities(Array.isArray(list) ? list.slice(1) : list);
    case 'too many entities':
      return entities(Array.isArray(list) ? [...list, null] : list);
    case 'entities that are no list':
      return entities({ not: 'a list' });
    case 'error of the list':
      return ok({ errors: [{ ...error, path: Array.isArray(list) ? ['_entities'] : [] }], data: null });
    case 'error of no place':
      return ok({ ...result, errors: [{ ...error, path: ['_entities', 99, 'x'] }] });
  }
}
