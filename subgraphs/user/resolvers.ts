import { authenticated, maySee } from '../../platform/auth/principal.js';
import { problem, unwrap } from '../../platform/errors.js';
import { scalars } from '../../platform/graphql/scalars.js';
import { checkId, isId } from '../../platform/ids.js';
import type { Resolvers } from './generated/graphql.js';

export const resolvers: Resolvers = {
  DateTime: scalars.DateTime,
  EmailAddress: scalars.EmailAddress,
  Query: {
    me: (_, __, { principal, loaders }) => (principal ? loaders.user.load(principal.userId) : null),
    async user(_, { id }, { principal, loaders }) {
      authenticated(principal);
      const user = await loaders.user.load(checkId(id, 'id'));
      if (!user) throw problem('NOT_FOUND', 'There is no such user.');
      return user;
    },
  },
  Mutation: {
    register: async (_, { input }, { commands }) => unwrap(await commands.register(input)),
    login: async (_, { input }, { commands }) => unwrap(await commands.login(input)),
  },
  User: {
    __resolveReference(reference, { principal, loaders }) {
      authenticated(principal);
      return isId(reference.id) ? loaders.user.load(reference.id) : null;
    },
    email: (user, _, { principal }) =>
      user.self || (principal && maySee(principal, user.id)) ? user.email : null,
  },
};
