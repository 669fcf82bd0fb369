import { defineConfig } from 'prisma/config';

/**
 * For Prisma's own commands, which download an engine: `SERVICE=order npx prisma migrate status`, with the
 * database of .env.example's DATABASE_URL or ORDER_DATABASE_URL. Nothing here needs them: `make migrate`
 * applies the same migrations.
 */
const service = process.env['SERVICE'] ?? 'user';

function databaseUrl(): string | undefined {
  const own = process.env[`${service.toUpperCase()}_DATABASE_URL`];
  if (own || !process.env['DATABASE_URL']) return own;
  const url = new URL(process.env['DATABASE_URL']);
  url.pathname = service;
  return url.href;
}

const url = databaseUrl();

export default defineConfig({
  schema: `prisma/${service}/schema.prisma`,
  migrations: { path: `prisma/${service}/migrations` },
  ...(url && { datasource: { url } }),
});
