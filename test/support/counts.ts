import type { Database, System } from './system.js';

const databases: readonly Database[] = ['user', 'order', 'payment', 'delivery', 'event', 'bus'];

/** How many rows every table of every database has, but those that count refusals: `order.orders` -> 3. */
export async function rowCounts(system: System): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const database of databases) {
    const tables = await system.sql<{ name: string }>(
      database,
      `select table_name as name from information_schema.tables 
       where table_schema = 'public' and table_name <> 'throttles' order by 1`,
    );
    const counted = tables.map(
      ({ name }) => `select '${name}' as name, count(*)::int as rows from "${name}"`,
    );
    for (const { name, rows } of await system.sql<{ name: string; rows: number }>(
      database,
      counted.join(' union all '),
    )) {
      counts[`${database}.${name}`] = rows;
    }
  }
  return counts;
}
