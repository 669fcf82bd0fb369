import { expect, test } from 'vitest';
import { authenticated, isStaff, maySee, type Principal, type Role, roles } from './principal.js';

const principal = (role: Role): Principal => ({ userId: 'me', role, expiresAt: 0 });

test('dispatchers and admins are staff, nobody else', () => {
  expect(roles.filter((role) => isStaff(principal(role)))).toEqual(['DISPATCHER', 'ADMIN']);
});

test('what belongs to somebody is seen by them and by staff', () => {
  expect(roles.map((role) => maySee(principal(role), 'me'))).toEqual([true, true, true, true]);
  expect(roles.map((role) => maySee(principal(role), 'you'))).toEqual([false, false, true, true]);
});

test('nobody is not authenticated', () => {
  expect(authenticated(principal('CUSTOMER'))).toEqual(principal('CUSTOMER'));
  expect(() => authenticated(null)).toThrow(
    expect.objectContaining({ extensions: { code: 'UNAUTHENTICATED' } }),
  );
});
