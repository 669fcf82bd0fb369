import { table } from '../table.js';
import type { Cost } from './counts.js';
import type { Floor } from './floor.js';
import type { Flow } from './flow.js';

/** What is measured: orders that stand in the outbox, and orders from the request on. */
const parts = ['fromTheOutbox', 'withCreateOrder'] as const;
type Part = (typeof parts)[number];

export interface Results {
  floor: Record<Part, Floor>;
  flow: Flow;
}

/** What we want to reach of the floor. */
const wanted: Record<Part, number> = { fromTheOutbox: 0.5, withCreateOrder: 0.25 };
const names: Record<Part, string> = {
  fromTheOutbox: 'from the outbox on',
  withCreateOrder: 'from createOrder on',
};

/** Orders a second, of the floor and of the program. */
export const speeds = ({ floor, flow }: Results): string =>
  table([
    ['orders/s, to DELIVERED', 'floor', 'doorstep', 'ratio', 'wanted'],
    ...parts.map((part) => [
      names[part],
      `${Math.round(floor[part].ordersPerSecond)} (${floor[part].clients} clients)`,
      String(Math.round(flow[part])),
      (flow[part] / floor[part].ordersPerSecond).toFixed(2),
      wanted[part].toFixed(2),
    ]),
  ]);

/** What one of so many orders costs, where couriers' positions are told apart. */
export function costs({ floor, flow }: Results, orders: number): string {
  const each = (count: number): string => (count / orders).toFixed(count < orders ? 2 : 1);
  /** A row: the figure of each part, after that of its floor where it has one. */
  const row = (
    name: string,
    ours: (cost: Cost) => number | undefined,
    ofFloor?: (of: Floor) => number,
  ): string[] => [
    name,
    ...parts.flatMap((part) => [
      ofFloor ? ofFloor(floor[part]).toFixed(1) : '',
      each(ours(flow.costs[part]) ?? 0),
    ]),
  ];
  const { statements, messages } = flow.costs.withCreateOrder;
  const services = [...statements.keys()].filter((name) => total(flow.costs.withCreateOrder, name) > 0);
  const topics = [...messages.keys()].filter((topic) => (messages.get(topic) ?? 0) > 0);
  return table([
    ['an order', ...parts.flatMap((part) => [`${names[part]}: floor`, 'doorstep'])],
    row('SQL statements sent', all, (of) => of.statements.sent),
    ...services.map((name) => row(`  of ${name}`, (cost) => total(cost, name))),
    row('beside these, run by constraints and triggers', within, (of) => of.statements.within),
    row('bus messages', (cost) => added(cost.messages.values())),
    ...topics.map((topic) => row(`  ${topic}`, ({ messages }) => messages.get(topic))),
    row('beside these, of positions: SQL statements', ({ positions }) => positions.statements.sent),
    row('  messages', ({ positions }) => positions.messages),
  ]);
}

const added = (numbers: Iterable<number>): number => [...numbers].reduce((sum, one) => sum + one, 0);

type Name = Parameters<Cost['statements']['get']>[0];
const total = ({ statements }: Cost, name: Name): number => statements.get(name)?.sent ?? 0;
const all = ({ statements }: Cost): number => added([...statements.values()].map(({ sent }) => sent));
const within = ({ statements }: Cost): number => added([...statements.values()].map((one) => one.within));
