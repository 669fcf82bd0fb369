import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import type {} from './global-setup.js';

/** The PostgreSQL server that the test run's global setup has started: any database's URL on it. */
export async function testServer(): Promise<{ url(database: string): string }> {
  const base = inject('postgresUrl');
  return {
    url(database) {
      const url = new URL(base);
      url.pathname = `/${encodeURIComponent(database)}`;
      return url.href;
    },
  };
}

/** An empty database with a name of its own. `drop` may be called while connections to it are open. */
export async function createTestDatabase(prefix = 'test'): Promise<{ url: string; drop(): Promise<void> }> {
  const server = await testServer();
  const name = `${prefix}_${randomBytes(6).toString('hex')}`;
  const run = async (sql: string) => {
    const client = new pg.Client({ connectionString: server.url('postgres') });
    await client.connect();
    await client.query(sql).finally(() => client.end());
  };
  // template1 may be in use by another test that creates a database; template0 never is.
  await run(`CREATE DATABASE ${pg.escapeIdentifier(name)} TEMPLATE template0`);
  return {
    url: server.url(name),
    drop: () => run(`DROP DATABASE IF EXISTS ${pg.escapeIdentifier(name)} WITH (FORCE)`),
  };
}
