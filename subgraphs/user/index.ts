import { accountOf } from '../../events/account.js';
import { userDeleted, userUpdated } from '../../events/user.js';
import type { ServiceTokens } from '../../platform/auth/service-tokens.js';
import { createTokenSigner, type SigningKeys, type TokenSigner } from '../../platform/auth/tokens.js';
import { forgetting } from '../../platform/cache/forgetting.js';
import type { RowCache } from '../../platform/cache/rows.js';
import { ok } from '../../platform/errors.js';
import type { Log } from '../../platform/log.js';
import type { Database } from '../../platform/postgres/database.js';
import { defineSubgraph } from '../../platform/subgraph/define.js';
import { answerPeer } from '../../platform/subgraph/peers.js';
import { repeat } from '../../platform/worker.js';
import { type UserCommands, userCommands } from './commands.js';
import type { Context } from './context.js';
import { seedUsers } from './demo.js';
import { createLoaders, createUsers, readRights, readStanding } from './reads.js';
import { resolvers } from './resolvers.js';
import type { UserRow } from './rows.js';
import { forgetFailures } from './throttle.js';

/** How often what has ended is deleted. */
const forgetEveryMs = 60 * 60 * 1000;

interface App {
  log: Log;
  database: Database;
  users: RowCache<UserRow>;
  commands: UserCommands;
  signer: TokenSigner;
  tokens: ServiceTokens;
  demoData: boolean;
}

/** Accounts and sessions; the only service that signs tokens. */
export const userSubgraph = (keys: SigningKeys) =>
  defineSubgraph<App, Context>({
    name: 'user',
    resolvers,
    async open({ config, log, database, peers, caches }) {
      const signer = await createTokenSigner({ ...keys, ttlMs: config.ACCESS_TOKEN_TTL });
      return {
        log,
        database,
        users: createUsers(database, caches.store('users')),
        signer,
        tokens: peers.tokens,
        commands: userCommands(database, signer, log),
        demoData: config.DEMO_DATA,
      };
    },
    context: ({ database, users, commands }, principal, clientAddress) => ({
      ...{ principal, clientAddress, commands },
      reader: database,
      loaders: createLoaders(users),
      async changed(user) {
        // Where that cannot be now, the event sees to it; this process does not use what is stale.
        await users.forget([user.id]).catch(() => undefined);
        return user;
      },
    }),
    consumers: ({ users }) => [
      forgetting('user', userUpdated, users, ({ userId }) => userId),
      forgetting('user', userDeleted, users, ({ userId }) => userId),
    ],
    rights: { contracts: [userUpdated, userDeleted], read: readRights },
    async run({ log, database, commands, demoData }) {
      if (demoData) await seedUsers(commands);
      const forget = {
        name: 'sessions that have ended',
        pollMs: forgetEveryMs,
        log,
        async work() {
          await commands.forgetExpiredTokens();
          await forgetFailures(database);
          return false;
        },
      };
      return [repeat(forget)];
    },
    routes(app, http) {
      answerPeer(
        http,
        accountOf,
        async ({ userId }) => ok(await readStanding(app().database, userId)),
        () => app().tokens,
      );
      http.get('/.well-known/jwks.json', async () => app().signer.jwks);
    },
  });
