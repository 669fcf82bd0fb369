import cors from '@fastify/cors';
import type { FastifyInstance } from 'fastify';

/** For how long a browser need not ask again whether it may, in seconds. */
const rememberedForS = 600;

/**
 * Lets pages of these origins ask, `*` those of all. Nobody is known by a cookie here, so that none is let through.
 * Without any origin browsers keep other sites' pages away.
 */
export function allowOrigins(app: FastifyInstance, origins: readonly string[]): void {
  if (origins.length === 0) return;
  void app.register(cors, {
    origin: origins.includes('*') ? '*' : [...origins],
    methods: ['GET', 'POST'],
    exposedHeaders: ['retry-after'],
    maxAge: rememberedForS,
  });
}
