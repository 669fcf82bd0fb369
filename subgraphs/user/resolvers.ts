import { authenticated, maySee, staff } from '../../platform/auth/principal.js';
import { problem, unwrap } from '../../platform/errors.js';
import { connectionResolvers, readPage, toPage } from '../../platform/graphql/connection.js';
import { readSearch } from '../../platform/graphql/input.js';
import { scalars } from '../../platform/graphql/scalars.js';
import { checkId, isId } from '../../platform/ids.js';
import { refuseToken } from './domain.js';
import type { Resolvers } from './generated/graphql.js';
import { countUsers, readUsers } from './reads.js';
import type { UserRow } from './rows.js';

export const resolvers: Resolvers = {
  DateTime: scalars.DateTime,
  EmailAddress: scalars.EmailAddress,
  Cursor: scalars.Cursor,

  Query: {
    async me(_, __, { principal, loaders }) {
      if (!principal) return null;
      const user = await loaders.user.load(principal.userId);
      const refusal = user?.deletedAt ? refuseToken(principal, user) : undefined;
      return refusal ? unwrap(refusal) : user;
    },
    async user(_, { id }, { principal, loaders }) {
      authenticated(principal);
      const user = await loaders.user.load(checkId(id, 'id'));
      if (!user) throw problem('NOT_FOUND', 'There is no such user.');
      return user;
    },
    async users(_, { search, ...args }, { principal, reader }) {
      staff(principal);
      const page = readPage('users', args);
      const pattern = readSearch(search);
      return toPage(page, await readUsers(reader, pattern, page), () => countUsers(reader, pattern));
    },
  },

  Mutation: {
    register: async (_, { input }, { commands }) => unwrap(await commands.register(input)),
    login: async (_, { input }, { commands, clientAddress }) =>
      unwrap(await commands.login(input, clientAddress())),
    refreshSession: async (_, { refreshToken }, { commands }) => unwrap(await commands.refresh(refreshToken)),
    async logout(_, { refreshToken }, { commands }) {
      await commands.logout(refreshToken);
      return true;
    },
    async logoutEverywhere(_, __, { principal, commands }) {
      unwrap(await commands.logoutEverywhere(authenticated(principal)));
      return true;
    },
    changePassword: async (_, { input }, { principal, commands, clientAddress }) =>
      unwrap(await commands.changePassword(authenticated(principal), input, clientAddress())),
    async updateUser(_, { input: { id, ...input } }, { principal, commands, changed }) {
      const by = authenticated(principal);
      const userId = typeof id === 'string' ? checkId(id, 'id') : by.userId;
      return changed(unwrap(await commands.update(by, userId, input)));
    },
    deleteUser: async (_, { id }, { principal, commands, changed }) =>
      changed(unwrap(await commands.delete(authenticated(principal), checkId(id, 'id')))),
    setUserRole: async (_, { id, role }, { principal, commands, changed }) =>
      changed(unwrap(await commands.setRole(authenticated(principal), checkId(id, 'id'), role))),
  },

  User: {
    __resolveReference(reference, { principal, loaders }) {
      authenticated(principal);
      return isId(reference.id) ? loaders.user.load(reference.id) : null;
    },
    email: (user, _, { principal }) =>
      user.self || (principal && maySee(principal, user.id)) ? user.email : null,
  },

  UserConnection: connectionResolvers<UserRow>(),
};
