import { table } from '../table.js';
import type { ContestantName } from './contestants.js';
import type { Round } from './measure.js';
import type { QueryName } from './queries.js';

/** How a contestant did on one query: its figures, or why there are none. */
export type Outcome = { title: string } & ({ figures: Round; fetchesEach: number } | { reason: string });
export type Outcomes = ReadonlyMap<ContestantName, Outcome>;

const head = [
  '',
  'requests/s',
  'p50 ms',
  'p99 ms',
  'CPU ms',
  'fetches',
  'x stock',
  'by CPU',
  'p99 / stock',
  'x floor',
  'by CPU',
  'busy',
  'others busy',
];

/** The table of one query. */
export function tableOf(outcomes: Outcomes): string {
  const rows = [...outcomes.values()].map((outcome) => {
    if ('reason' in outcome) return [outcome.title, '-'];
    const { figures, fetchesEach } = outcome;
    const stock = figuresOf(outcomes, 'stock');
    const floor = figuresOf(outcomes, 'floor');
    return [
      outcome.title,
      String(Math.round(figures.perSecond)),
      figures.p50Ms.toFixed(1),
      figures.p99Ms.toFixed(1),
      figures.cpuMs?.toFixed(3) ?? 'n/a',
      String(Number(fetchesEach.toFixed(1))),
      ratio(figures.perSecond, stock?.perSecond),
      ratio(stock?.cpuMs, figures.cpuMs),
      ratio(figures.p99Ms, stock?.p99Ms),
      ratio(figures.perSecond, floor?.perSecond),
      ratio(floor?.cpuMs, figures.cpuMs),
      percent(figures.busy),
      percent(figures.othersBusy),
    ];
  });
  const reasons = [...outcomes.values()].flatMap((outcome) =>
    'reason' in outcome ? [`${outcome.title}: ${outcome.reason}`] : [],
  );
  return [table([head, ...rows]), ...reasons].join('\n');
}

/** Whether a contestant, which always had something to do, did not have its processor to itself. */
export const disturbed = (outcomes: Outcomes): boolean =>
  [...outcomes.values()].some((outcome) => 'figures' in outcome && (outcome.figures.busy ?? 1) < 0.9);

const figuresOf = (outcomes: Outcomes | undefined, name: ContestantName): Round | undefined => {
  const outcome = outcomes?.get(name);
  return outcome && 'figures' in outcome ? outcome.figures : undefined;
};

const ratio = (a: number | undefined, b: number | undefined): string =>
  a === undefined || b === undefined ? '-' : (a / b).toFixed(2);
const percent = (share: number | undefined): string =>
  share === undefined ? 'n/a' : `${Math.round(share * 100)} %`;

interface Wish {
  query: QueryName;
  figure: 'perSecond' | 'p99Ms';
  of: ContestantName;
  /** Ours is to be so many times the other's, at least or at most. */
  atLeast?: number;
  atMost?: number;
}

/** What we want to reach. */
const wanted: Record<string, Wish[]> = {
  small: [{ query: 'small', figure: 'perSecond', of: 'stock', atLeast: 10 }],
  big: [
    { query: 'big', figure: 'perSecond', of: 'floor', atLeast: 0.95 },
    { query: 'big', figure: 'perSecond', of: 'stock', atLeast: 5 },
  ],
  p99: [
    { query: 'small', figure: 'p99Ms', of: 'stock', atMost: 0.1 },
    { query: 'big', figure: 'p99Ms', of: 'stock', atMost: 0.2 },
  ],
};

/** A line for each promise: what it is, what was measured, and whether it holds. */
export function promises(results: ReadonlyMap<QueryName, Outcomes>): string {
  const lines = Object.entries(wanted).map(([name, wishes]) => {
    const seen = wishes.map((wish) => ({ ...wish, is: reached(results, wish) }));
    const verdict = seen.some(({ is }) => is === undefined)
      ? 'not measured'
      : seen.every(
            ({ is = Number.NaN, atLeast = 0, atMost = Number.POSITIVE_INFINITY }) =>
              is >= atLeast && is <= atMost,
          )
        ? 'holds'
        : 'does not hold';
    return [name, seen.map(sentence).join(', '), verdict];
  });
  const width = Math.max(...lines.map(([, text = '']) => text.length));
  return lines
    .map(([name = '', text = '', verdict]) => `${name.padEnd(7)}${text.padEnd(width + 2)}${verdict}`)
    .join('\n');
}

function reached(results: ReadonlyMap<QueryName, Outcomes>, { query, figure, of }: Wish): number | undefined {
  const outcomes = results.get(query);
  const [ours, other] = [figuresOf(outcomes, 'ours'), figuresOf(outcomes, of)];
  return ours && other && ours[figure] / other[figure];
}

function sentence({ query, figure, of, atLeast, atMost, is }: Wish & { is: number | undefined }): string {
  const what = figure === 'p99Ms' ? `p99 of ${query}` : `requests/s of ${query}`;
  const bound = atLeast === undefined ? `at most ${atMost}` : `at least ${atLeast}`;
  return `${what} ${is?.toFixed(2) ?? '?'} x ${of} (${bound})`;
}
