import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { serviceNames } from '../platform/config.js';
import { migrate, migrateDown, migrationStatus } from '../platform/migrate.js';
import type { Database } from '../platform/postgres/database.js';
import { projectPath } from '../platform/root.js';
import { serviceDatabase } from '../test/support/service.js';

/** Everything that migrations make, in words that compare. */
async function shape(database: Database): Promise<string[]> {
  const { rows } = await database.query<{ line: string }>(
    `select concat_ws(' ', 'column', table_name, ordinal_position, column_name, data_type, is_nullable, column_default, is_identity, generation_expression) as line
       from information_schema.columns where table_schema = 'public' and table_name <> '_prisma_migrations'
     union all select concat_ws(' ', 'index', indexdef) from pg_indexes where schemaname = 'public' and tablename <> '_prisma_migrations'
     union all select concat_ws(' ', 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid)) from pg_constraint
       where connamespace = 'public'::regnamespace and conrelid::regclass::text <> '_prisma_migrations'
     union all select concat_ws(' ', 'trigger', tgrelid::regclass::text, pg_get_triggerdef(oid)) from pg_trigger where not tgisinternal
     union all select concat_ws(' ', 'function', proname, prosrc) from pg_proc where pronamespace = 'public'::regnamespace
     union all select concat_ws(' ', 'view', viewname, definition) from pg_views where schemaname = 'public'
     order by 1`,
  );
  return rows.map(({ line }) => line);
}

/** Prisma's types as PostgreSQL's. */
const scalarTypes: Record<string, string> = {
  BigInt: 'bigint',
  Boolean: 'boolean',
  DateTime: 'timestamp with time zone',
  Float: 'double precision',
  Int: 'integer',
  'Int SmallInt': 'smallint',
  Json: 'jsonb',
  'Json Json': 'json',
  String: 'text',
  Xid8: 'xid8',
  'String Uuid': 'uuid',
};

interface Column {
  type: string | undefined;
  nullable: boolean;
}

/** The tables and columns that a schema.prisma tells of. */
function tablesOf(schema: string): Record<string, Record<string, Column>> {
  const models = [...schema.matchAll(/^model (\w+) \{\n([^}]*)^\}/gm)];
  const names = new Set(models.map(([, name]) => name));
  const tables: Record<string, Record<string, Column>> = {};
  for (const [, model = '', body = ''] of models) {
    const columns: Record<string, Column> = {};
    for (const line of body.replaceAll('Unsupported("xid8")', 'Xid8').split('\n')) {
      const [, field = '', type = '', marks = '', rest = ''] =
        /^ {2}(\w+)\s+(\w+)(\[\]|\?)?(.*)$/.exec(line) ?? [];
      if (field === '' || names.has(type)) continue;
      const native = /@db\.(Uuid|SmallInt|Json)\b/.exec(rest)?.[1];
      const column = /@map\("(\w+)"\)/.exec(rest)?.[1] ?? field;
      const scalar = scalarTypes[native ? `${type} ${native}` : type];
      columns[column] = { type: marks === '[]' ? 'ARRAY' : scalar, nullable: marks === '?' };
    }
    tables[/@@map\("(\w+)"\)/.exec(body)?.[1] ?? model] = columns;
  }
  return tables;
}

describe.each(serviceNames)('the migrations of %s', (service) => {
  const directory = projectPath('prisma', service, 'migrations');

  test('go down to nothing, one by one, and up again to the same', async () => {
    const database = await serviceDatabase(service);
    const place = { url: database.url, directory, service };
    const full = await shape(database);
    expect(full.length).toBeGreaterThan(20);
    const steps = [full];
    const count = (await migrationStatus(place)).length;
    for (let step = 0; step < count; step += 1) {
      expect((await migrateDown(place)).undone).toHaveLength(1);
      steps.push(await shape(database));
    }
    expect(steps.at(-1)).toEqual([]);
    expect(new Set(steps.map((lines) => lines.length)).size).toBe(count + 1);
    expect((await migrate(place)).applied).toHaveLength(count);
    expect(await shape(database)).toEqual(full);
  });

  test('make the tables and columns that schema.prisma tells of', async () => {
    const database = await serviceDatabase(service);
    const { rows } = await database.query<{ table: string; column: string; type: string; nullable: boolean }>(
      `select table_name as table, column_name as column, data_type as type, is_nullable = 'YES' as nullable
       from information_schema.columns join information_schema.tables using (table_schema, table_name)
       where table_schema = 'public' and table_name <> '_prisma_migrations' and is_generated = 'NEVER'
         and table_type = 'BASE TABLE'
         and not exists (select from pg_inherits where inhrelid = table_name::regclass)`,
    );
    const made: Record<string, Record<string, Column>> = {};
    for (const { table, column, type, nullable } of rows)
      made[table] = { ...made[table], [column]: { type, nullable } };
    expect(made).toEqual(tablesOf(readFileSync(projectPath('prisma', service, 'schema.prisma'), 'utf8')));
  });

  test('make the indexes that schema.prisma names', async () => {
    const database = await serviceDatabase(service);
    const schema = readFileSync(projectPath('prisma', service, 'schema.prisma'), 'utf8');
    const named = [...schema.matchAll(/@@index\(.*map: "(\w+)"\)/g)].map(([, name]) => name);
    const { rows } = await database.query<{ name: string }>(
      `select indexname as name from pg_indexes where schemaname = 'public'`,
    );
    expect(rows.map(({ name }) => name)).toEqual(expect.arrayContaining(named));
  });
});
