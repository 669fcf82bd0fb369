import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type Role, roles } from '../../platform/auth/principal.js';
import { projectPath } from '../../platform/root.js';
import { enumValues } from '../../test/support/machines.js';
import { type Account, isEmail, refuseDeletion, refuseRole, refuseToken, refuseUpdate } from './domain.js';

const account = (id: string, role: Role, more: Partial<Account> = {}): Account => ({
  ...{ id, role, rights: 1, deletedAt: null },
  ...more,
});
const [cora, dan, ada, ann] = [
  account('cora', 'CUSTOMER'),
  account('dan', 'DISPATCHER'),
  account('ada', 'ADMIN'),
  account('ann', 'ADMIN'),
];
const gone = account('gone', 'CUSTOMER', { deletedAt: new Date(0) });
const codeOf = (refusal: { code: string } | undefined) => refusal?.code;

test('the roles are those of the SDL', () => {
  const sdl = readFileSync(projectPath('subgraphs', 'user', 'schema.graphql'), 'utf8');
  expect([...roles].sort()).toEqual(enumValues(sdl, 'Role').sort());
});

test('an address has at most 254 characters', () => {
  const host = (length: number) => `rosa@${'e'.repeat(length - 9)}.org`;
  expect([isEmail(host(254)), isEmail(host(255))]).toEqual([true, false]);
});

test('a token of an account that is gone, or of fewer rights than now, is refused', () => {
  const token = { userId: 'cora', role: 'CUSTOMER', expiresAt: 0 } as const;
  expect(refuseToken(token, cora)).toBeUndefined();
  for (const now of [undefined, { ...cora, deletedAt: new Date(0) }, { ...cora, rights: 2 }])
    expect(codeOf(refuseToken(token, now))).toBe('UNAUTHENTICATED');
  expect(refuseToken({ ...token, rights: 2 }, { ...cora, rights: 2 })).toBeUndefined();
});

test.each([
  ['oneself', cora, cora, undefined],
  ['another, by a customer', cora, dan, 'FORBIDDEN'],
  ['nobody, by a customer', cora, undefined, 'FORBIDDEN'],
  ['a customer, by a dispatcher', dan, cora, undefined],
  ['an ADMIN, by a dispatcher', dan, ada, 'FORBIDDEN'],
  ['an ADMIN, by another', ada, ann, undefined],
  ['nobody, by a dispatcher', dan, undefined, 'NOT_FOUND'],
  ['who is gone', ada, gone, 'NOT_FOUND'],
])('who may change %s', (_name, by, whom, code) => {
  expect(codeOf(refuseUpdate(by, whom))).toBe(code);
});

test.each([
  ['oneself', cora, cora, 1, undefined],
  ['another, by a dispatcher', dan, cora, 1, 'FORBIDDEN'],
  ['another, by an ADMIN', ada, cora, 1, undefined],
  ['nobody', ada, undefined, 1, 'NOT_FOUND'],
  ['who is gone, once more', ada, gone, 1, undefined],
  ['the last ADMIN', ada, ada, 1, 'CONFLICT'],
  ['one of two ADMINs', ada, ann, 2, undefined],
])('who may delete %s', (_name, by, whom, admins, code) => {
  expect(codeOf(refuseDeletion(by, whom, admins))).toBe(code);
});

test.each([
  ['a customer, by a dispatcher', dan, cora, 'COURIER', 1, 'FORBIDDEN'],
  ['a customer', ada, cora, 'COURIER', 1, undefined],
  ['nobody', ada, undefined, 'COURIER', 1, 'NOT_FOUND'],
  ['who is gone', ada, gone, 'COURIER', 1, 'NOT_FOUND'],
  ['the last ADMIN another role', ada, ada, 'CUSTOMER', 1, 'CONFLICT'],
  ['the last ADMIN the same', ada, ada, 'ADMIN', 1, undefined],
  ['one of two ADMINs', ada, ann, 'CUSTOMER', 2, undefined],
] as const)('who may give %s a role', (_name, by, whom, role, admins, code) => {
  expect(codeOf(refuseRole(by, whom, role, admins))).toBe(code);
});
