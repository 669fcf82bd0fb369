import { createTokenSigner, type TokenSigner } from '../../platform/auth/tokens.js';
import type { Log } from '../../platform/log.js';
import type { Reader } from '../../platform/postgres/database.js';
import { prismaOptions } from '../../platform/postgres/prisma.js';
import { defineSubgraph } from '../../platform/subgraph/define.js';
import { repeat } from '../../platform/worker.js';
import { type UserCommands, userCommands } from './commands.js';
import type { Context } from './context.js';
import { seedUsers } from './demo.js';
import { PrismaClient } from './generated/prisma/client.js';
import { createLoaders } from './reads.js';
import { resolvers } from './resolvers.js';

/** How often refresh tokens that have ended are deleted. */
const forgetEveryMs = 60 * 60 * 1000;

interface App {
  log: Log;
  reader: Reader;
  prisma: PrismaClient;
  commands: UserCommands;
  signer: TokenSigner;
  demoData: boolean;
}

/** Accounts and sessions; the only service that signs tokens. */
export const userSubgraph = (options: { privateKey: string }) =>
  defineSubgraph<App, Context>({
    name: 'user',
    resolvers,
    async open({ config, log, database }) {
      const prisma = new PrismaClient(prismaOptions(database));
      const signer = await createTokenSigner({
        privateKey: options.privateKey,
        ttlMs: config.ACCESS_TOKEN_TTL,
      });
      return {
        log,
        reader: database,
        prisma,
        signer,
        commands: userCommands(prisma, signer),
        demoData: config.DEMO_DATA,
      };
    },
    context: ({ reader, commands }, principal) => ({ principal, commands, loaders: createLoaders(reader) }),
    consumers: () => [],
    async run({ log, commands, demoData }) {
      if (demoData) await seedUsers(commands);
      const forget = {
        name: 'refresh tokens',
        pollMs: forgetEveryMs,
        log,
        async work() {
          await commands.forgetExpiredTokens();
          return false;
        },
      };
      return [repeat(forget)];
    },
    routes(app, http) {
      http.get('/.well-known/jwks.json', async () => app().signer.jwks);
    },
    close: ({ prisma }) => prisma.$disconnect(),
  });
