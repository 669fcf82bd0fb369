import { availableParallelism } from 'node:os';
import { table } from '../table.js';
import type { Measured, Turn } from './measure.js';
import type { StackName } from './stacks.js';

/** What is promised: so many times the requests of the all-stock stack. */
const promised = 2.5;

const titles: Record<StackName, string> = {
  stock: 'all stock: Apollo Server everywhere, default data source',
  apollo: "Doorstep with Apollo's executors",
  doorstep: 'Doorstep',
};

/** Prints what was measured: requests, then what the CPU was spent on, then whether the promise holds. */
export function printReport(
  measured: Measured,
  run: { rounds: number; ms: number; concurrency: number; bytes: number; orders: number },
): void {
  const stacks = [...measured];
  const stock = measured.get('stock') ?? [];
  const medianOf = (turns: Turn[]) =>
    quantile(
      turns.map(({ perSecond }) => perSecond),
      0.5,
    );
  console.log(
    `The order page of ${run.orders} orders (${run.bytes} bytes); ${run.concurrency} requests under way; ` +
      `medians of ${run.rounds} turns of ${run.ms / 1000} s,\n` +
      `on ${availableParallelism()} processors shared with PostgreSQL and the load generator.\n`,
  );
  console.log(
    table([
      ['', 'requests/s', 'p50 ms', 'p99 ms', 'of stock', 'in each round', 'SQL/request'],
      ...stacks.map(([name, turns]) => {
        const times = turns.flatMap((turn) => turn.times);
        const ratios = turns.map(({ perSecond }, n) => perSecond / (stock[n]?.perSecond ?? Number.NaN));
        return [
          titles[name],
          medianOf(turns).toFixed(0),
          quantile(times, 0.5).toFixed(1),
          quantile(times, 0.99).toFixed(1),
          stock.length > 0 ? (medianOf(turns) / medianOf(stock)).toFixed(2) : '-',
          stock.length > 0 ? `${Math.min(...ratios).toFixed(2)} - ${Math.max(...ratios).toFixed(2)}` : '-',
          statementsOf(turns).toFixed(2),
        ];
      }),
    ]),
  );

  const parts = [...(stacks[0]?.[1][0]?.spent.keys() ?? [])];
  const spent = (turns: Turn[], part: string) =>
    turns.reduce((sum, turn) => sum + (turn.spent.get(part) ?? 0), 0) / requestsOf(turns);
  const total = (turns: Turn[]) => parts.reduce((sum, part) => sum + spent(turns, part), 0);
  console.log();
  console.log(
    table([
      ['CPU, ms a request', ...stacks.map(([name]) => name)],
      ...parts.map((part) => [part, ...stacks.map(([, turns]) => spent(turns, part).toFixed(3))]),
      ['in all', ...stacks.map(([, turns]) => total(turns).toFixed(3))],
      // Where something else runs on the processors too, this says more than requests a second.
      ...(stock.length > 0
        ? [
            [
              'pages for the CPU of one of stock',
              ...stacks.map(([, turns]) => (total(stock) / total(turns)).toFixed(2)),
            ],
          ]
        : []),
    ]),
  );

  const doorstep = measured.get('doorstep') ?? [];
  if (stock.length === 0) {
    console.log('\nWith a profile there is nothing to compare, and it slows all down.');
    return;
  }
  // Fewer come of requests that share a read under way.
  const most = statementsOf(stock) * 1.01;
  const hasMore = stacks.some(([, turns]) => statementsOf(turns) > most);
  console.log(
    `\nSQL statements a request: ${hasMore ? 'MORE than' : 'no more than'} those of the stock stack`,
  );
  const ratio = medianOf(doorstep) / medianOf(stock);
  console.log(`>= ${promised}x: ${ratio >= promised ? 'holds' : 'does not hold'} (${ratio.toFixed(2)}x)`);
}

const requestsOf = (turns: Turn[]): number => turns.reduce((sum, { times }) => sum + times.length, 0);

const statementsOf = (turns: Turn[]): number =>
  turns.reduce((sum, { statements }) => sum + statements, 0) / requestsOf(turns);

/** The value below which this share of them lies; of an even number's middle, the mean of both. */
function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const place = share * (sorted.length - 1);
  const [low = 0, high = low] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
  return (low + high) / 2;
}
