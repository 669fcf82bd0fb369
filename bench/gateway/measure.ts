import type { Child } from './child.js';
import { cpuSeconds } from './cpu.js';
import { sendLoad } from './load.js';
import { type BenchQuery, bodyOf } from './queries.js';
import type { Stage } from './stage.js';

/** One round of one contestant; where it is undefined, this machine cannot tell. */
export interface Round {
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  cpuMs: number | undefined;
  /** Share of its processor's time that the contestant had. */
  busy: number | undefined;
  /** The same of the subgraphs and the load together. */
  othersBusy: number | undefined;
}

export interface Runner {
  child: Child;
  port: number;
  /** Bytes of the right answer to each variant of the query. */
  lengths: number[];
}

/** Sends one contestant a query for so many seconds. */
export async function measure(
  stage: Stage,
  { child, port, lengths }: Runner,
  query: BenchQuery,
  seconds: number,
): Promise<Round> {
  const usage = () => ({ own: cpuSeconds(child.pid), others: sum(stage) });
  const before = usage();
  const tally = await sendLoad(stage.load, {
    ...{ port, lengths, seconds, headers: stage.headers, connections: query.concurrency },
    bodies: query.variables.map((variables) => bodyOf(query, variables)),
  });
  const after = usage();
  const own = minus(after.own, before.own);
  const others = minus(after.others, before.others);
  return {
    perSecond: tally.count / tally.seconds,
    p50Ms: tally.p50Ms,
    p99Ms: tally.p99Ms,
    cpuMs: own && (own * 1_000) / tally.count,
    busy: own && own / tally.seconds,
    othersBusy: others && others / tally.seconds,
  };
}

function sum({ subgraphs, load }: Stage): number | undefined {
  const [answering, asking] = [cpuSeconds(subgraphs.pid), cpuSeconds(load.pid)];
  return answering === undefined || asking === undefined ? undefined : answering + asking;
}

const minus = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined ? undefined : a - b;

/** Of each figure the median over the rounds. */
export function medians(rounds: readonly Round[]): Round {
  const of = (figure: keyof Round) => median(rounds.map((round) => round[figure] ?? Number.NaN));
  const known = (figure: keyof Round) => (Number.isNaN(of(figure)) ? undefined : of(figure));
  return {
    perSecond: of('perSecond'),
    p50Ms: of('p50Ms'),
    p99Ms: of('p99Ms'),
    cpuMs: known('cpuMs'),
    busy: known('busy'),
    othersBusy: known('othersBusy'),
  };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return ((low ?? Number.NaN) + (high ?? Number.NaN)) / 2;
}
