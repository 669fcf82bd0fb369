import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { inject } from 'vitest';
import type {} from '../../../platform/testing/global-setup.js';

/** A node of a plan, as PostgreSQL tells of it once it has run. */
export interface PlanNode {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Name'?: string;
  'Index Cond'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  'Rows Removed by Index Recheck'?: number;
  Plans?: PlanNode[];
}

/** A statement that has run, with the plan that it ran by. */
export interface Explained {
  database: string;
  text: string;
  plan: PlanNode;
}

/** The server's log: whoever asks, by whatever connection, PostgreSQL itself tells there what it did. */
const logFile = (): string => join(inject('runFolder'), 'postgres.log');

/**
 * From now on PostgreSQL explains every statement that new connections run on a database, those of triggers and
 * foreign keys too.
 */
export async function explainAll(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const name = databaseOf(url);
  const settings = {
    session_preload_libraries: 'auto_explain',
    'auto_explain.log_min_duration': '0',
    'auto_explain.log_nested_statements': 'on',
    'auto_explain.log_analyze': 'on',
    'auto_explain.log_timing': 'off',
    'auto_explain.log_parameter_max_length': '0',
    'auto_explain.log_format': 'json',
    // The log does not say of which database a statement is: this setting, which it tells, is that of one alone.
    'auto_explain.log_settings': 'on',
    search_path: `public, ${name}`,
  };
  try {
    await client.query(
      Object.entries(settings)
        .map(
          ([key, value]) =>
            // A list of names is written as names.
            `alter database ${name} set ${key} = ${key === 'search_path' ? value : pg.escapeLiteral(value)}`,
        )
        .join('; '),
    );
  } finally {
    await client.end();
  }
}

const databaseOf = (url: string): string => new URL(url).pathname.slice(1);

/** Where the log ends now. */
export const logEnd = async (): Promise<number> => (await stat(logFile())).size;

/** What the log tells of statements on these databases since it ended there. */
export async function readExplained(urls: readonly string[], since: number): Promise<Explained[]> {
  const databases = new Set(urls.map(databaseOf));
  const log = (await readFile(logFile())).subarray(since).toString();
  // An entry begins with its time and its process; the other lines of it begin with a tab.
  return log.split(/^(?=\d{4}-\d\d-\d\d )/m).flatMap((entry): Explained[] => {
    const [, json] = /^.* LOG: {2}duration: .* plan:\n((?:\t.*\n)+)/.exec(entry) ?? [];
    if (json === undefined) return [];
    const told = JSON.parse(json.replaceAll('\n\t', '\n')) as {
      'Query Text': string;
      Plan: PlanNode;
      Settings?: { search_path?: string };
    };
    const database = told.Settings?.search_path?.split(', ')[1] ?? '';
    return databases.has(database) ? [{ database, text: told['Query Text'], plan: told.Plan }] : [];
  });
}

/** The tables that a plan reads or writes. */
export const relationsOf = ({ 'Relation Name': table, Plans = [] }: PlanNode): string[] => [
  ...(table === undefined ? [] : [table]),
  ...Plans.flatMap(relationsOf),
];
