import type { Explained, PlanNode } from './explained.js';
import type { Grown } from './history.js';

/** A table that grows, read as a whole, or as good as. */
export interface Finding {
  table: string;
  /** How: the node of the plan, and its index where it is by one. */
  how: string;
  /** How many of the table's rows were read. */
  rows: number;
  text: string;
}

/** Who reads more of a table than this reads more the longer the shop is there. */
const mostPart = 0.1;
/** What hands rows on as they come: a LIMIT above stops all below it. */
const streaming = new Set([
  'Limit',
  'LockRows',
  'Nested Loop',
  'Subquery Scan',
  'Result',
  'Append',
  'Merge Append',
]);

/**
 * What reads a table as a whole in the plan that a statement ran by: every sequential scan, whether it was come to or
 * not, every scan of a whole index that no LIMIT stops, and whatever did read more than a tenth of its rows. `tables`
 * are those that grow, with their rows; an index of `narrow` holds a part of its table that does not grow.
 */
export function findFullReads({ text, plan }: Explained, { tables, narrow }: Grown): Finding[] {
  const findings: Finding[] = [];
  const look = (node: PlanNode, stops: boolean): void => {
    const { 'Node Type': type, 'Relation Name': table, 'Index Name': index } = node;
    const size = table === undefined ? undefined : tables.get(table);
    if (table !== undefined && size !== undefined && type !== 'ModifyTable') {
      const isWhole =
        type === 'Seq Scan' ||
        (index !== undefined && node['Index Cond'] === undefined && !stops && !narrow.has(index));
      const rows = rowsRead(node);
      if (isWhole || rows > size * mostPart)
        findings.push({ table, how: index === undefined ? type : `${type} by ${index}`, rows, text });
    }
    for (const child of node.Plans ?? []) look(child, type === 'Limit' || (stops && streaming.has(type)));
  };
  look(plan, false);
  return findings;
}

/** PostgreSQL tells the average of all times that it went through a node. */
const rowsRead = (node: PlanNode): number =>
  Math.round(
    (node['Actual Rows'] +
      (node['Rows Removed by Filter'] ?? 0) +
      (node['Rows Removed by Index Recheck'] ?? 0)) *
      node['Actual Loops'],
  );
