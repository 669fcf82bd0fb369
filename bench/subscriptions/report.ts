import { table } from '../table.js';
import type { Round } from './deliver.js';
import { median } from './latency.js';

/** So many sockets on one stream: as fast as it goes, and at a steady rate. */
export interface FanOut {
  sockets: number;
  /** Of a message. */
  bytes: number;
  fast: { ours: Round[]; floor: Round[] };
  steady: { ours: Round[]; floor: Round[] };
}

export interface Distinct {
  orders: number;
  fast: Round[];
  steady: Round[];
  /** The same fields as a query. */
  queries: { perSecond: number; cpuUs: Record<string, number> }[];
}

/** What one socket with one idle subscription takes. */
export interface Idler {
  rssBytes: number;
  /** Of the heap after a collection, buffers included. */
  heapBytes: number;
  /** Of the whole process, as a share of one processor. */
  cpu: number;
}

export interface Idle {
  sockets: number;
  bare: Idler;
  shared: Idler;
  distinct: Idler;
}

export interface Results {
  fanOuts: FanOut[];
  distinct: Distinct | undefined;
  idle: Idle | undefined;
}

/** What is promised: at most so many times what it is held against; `lateMs` is by how much. */
export const promised = { fanOut: 1.5, distinct: 1.5, lateMs: 50, idle: 1.5 };

type Figure = (round: Round) => number;
const of = (rounds: readonly Round[], figure: Figure): number => median(rounds.map(figure));
const cpu =
  (name: string): Figure =>
  ({ cpuUs }) =>
    cpuUs[name] ?? Number.NaN;
const perSecond: Figure = (round) => round.perSecond;
const p50: Figure = ({ p50Ms }) => p50Ms;
const p99: Figure = ({ p99Ms }) => p99Ms;

export const fanOutRatio = ({ fast }: FanOut): number =>
  of(fast.ours, cpu('server')) / of(fast.floor, cpu('server'));

const queryUs = ({ queries }: Distinct): number => median(queries.map(({ cpuUs }) => cpuUs['server'] ?? 0));
export const distinctRatio = (distinct: Distinct): number =>
  of(distinct.fast, cpu('server')) / queryUs(distinct);

const number = (value: number, digits: number): string => (Number.isNaN(value) ? '-' : value.toFixed(digits));

export function printed(results: Results, rate: number): string {
  const tables = [deliveriesOf(results, rate), queriesOf(results.distinct), idlersOf(results.idle)];
  return [...tables.filter((text) => text !== ''), promisesOf(results, rate)].join('\n\n');
}

function deliveriesOf({ fanOuts, distinct }: Results, rate: number): string {
  const line = (title: string, fast: Round[], steady: Round[], ratio: number): string[] => [
    title,
    number(of(fast, cpu('server')), 1),
    number(ratio, 2),
    number(of(fast, perSecond), 0),
    number(of(steady, p50), 1),
    number(of(steady, p99), 1),
    number(of(fast, cpu('subgraph')), 1),
    number(of(fast, cpu('clients')), 1),
  ];
  const rows = fanOuts.flatMap((fan) => [
    line(`${fan.sockets} sockets, plain broadcast`, fan.fast.floor, fan.steady.floor, 1),
    line(`${fan.sockets} sockets on one order`, fan.fast.ours, fan.steady.ours, fanOutRatio(fan)),
  ]);
  if (distinct)
    rows.push(
      line(`${distinct.orders} sockets on as many orders`, distinct.fast, distinct.steady, Number.NaN),
    );
  if (rows.length === 0) return '';
  const at = `at ${rate}/s, ms`;
  return table([
    ['', 'CPU us', 'x broadcast', 'deliveries/s', `p50 ${at}`, `p99 ${at}`, 'subgraph us', 'clients us'],
    ...rows,
  ]);
}

function queriesOf(distinct: Distinct | undefined): string {
  if (!distinct) return '';
  const { fast, queries } = distinct;
  const query = (name: string): number => median(queries.map(({ cpuUs }) => cpuUs[name] ?? Number.NaN));
  return table([
    ['', 'CPU us', 'x query', 'a second', 'subgraph us'],
    [
      'the fields as a query, POST',
      number(query('server'), 1),
      '1.00',
      number(median(queries.map((round) => round.perSecond)), 0),
      number(query('subgraph'), 1),
    ],
    [
      'the fields as an event',
      number(of(fast, cpu('server')), 1),
      number(distinctRatio(distinct), 2),
      number(of(fast, perSecond), 0),
      number(of(fast, cpu('subgraph')), 1),
    ],
  ]);
}

function idlersOf(idle: Idle | undefined): string {
  if (!idle) return '';
  const kib = (bytes: number): string => number(bytes / 1024, 1);
  const line = (title: string, one: Idler): string[] => [
    title,
    kib(one.rssBytes),
    number(one.rssBytes / idle.bare.rssBytes, 2),
    kib(one.heapBytes),
    number(one.heapBytes / idle.bare.heapBytes, 2),
    `${number(one.cpu * 100, 1)} %`,
    number(one.cpu / idle.bare.cpu, 2),
  ];
  return table([
    [`${idle.sockets} idle sockets`, 'RSS KiB a socket', 'x', 'heap KiB a socket', 'x', 'CPU', 'x'],
    line('bare graphql-ws', idle.bare),
    line('ours, one order', idle.shared),
    line('ours, an order each', idle.distinct),
  ]);
}

/** Of each promise what was measured, and whether it holds. */
export function promisesOf({ fanOuts, distinct, idle }: Results, rate: number): string {
  const rows: string[][] = [];
  const add = (what: string, measured: number, most: number, unit: string, digits = 2): void => {
    const holds = measured <= most ? 'holds' : 'does not hold';
    rows.push([what, `${number(measured, digits)}${unit}`, `<= ${number(most, digits)}${unit}`, holds]);
  };
  for (const fan of fanOuts)
    add(
      `CPU a delivery of one stream to ${fan.sockets}, of a broadcast's`,
      fanOutRatio(fan),
      promised.fanOut,
      ' x',
    );
  if (distinct) add("CPU of an event, of a query's", distinctRatio(distinct), promised.distinct, ' x');
  for (const { sockets, steady } of fanOuts) {
    const most = of(steady.floor, p99) + promised.lateMs;
    add(`p99 to ${sockets} at ${rate} deliveries/s`, of(steady.ours, p99), most, ' ms', 1);
  }
  // Of the broadcasts the one with the fewest sockets is the fastest.
  const [least] = fanOuts.toSorted((a, b) => a.sockets - b.sockets);
  if (distinct && least) {
    const most = of(least.steady.floor, p99) + promised.lateMs;
    add(`p99 to ${distinct.orders} orders at ${rate} deliveries/s`, of(distinct.steady, p99), most, ' ms', 1);
  }
  if (idle) {
    for (const [title, one] of [
      ['of one order', idle.shared],
      ['of an order each', idle.distinct],
    ] as const) {
      const against = (figure: keyof Idler): number => one[figure] / idle.bare[figure];
      add(
        `memory of an idle subscriber ${title} (RSS), of a bare one's`,
        against('rssBytes'),
        promised.idle,
        ' x',
      );
      add(`heap of an idle subscriber ${title}, of a bare one's`, against('heapBytes'), promised.idle, ' x');
      add(`CPU of idle subscribers ${title}, of bare ones'`, against('cpu'), promised.idle, ' x');
    }
  }
  return table(rows);
}
