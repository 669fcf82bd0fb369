import { describe, expect, test } from 'vitest';
import { readInput } from '../../platform/graphql/input.js';
import { passwordChange, profileUpdate, registration } from './inputs.js';

const rosa = { email: 'rosa@example.org', password: 'correct horse', firstName: 'Rosa', lastName: 'Random' };
const register = (given: object) => readInput(registration, { ...rosa, ...given });

describe('a registration', () => {
  test('is taken as it is where all is well', () => {
    expect(register({})).toEqual({ ok: true, value: rosa });
  });
  test('loses capitals and spaces of its address, and the spaces around the names, and nothing of the password', () => {
    const given = {
      email: ' Rosa@Example.ORG ',
      password: ' Correct horse ',
      firstName: ' Rosa ',
      lastName: 'von  R',
    };
    expect(register(given)).toEqual({
      ok: true,
      value: {
        email: 'rosa@example.org',
        password: ' Correct horse ',
        firstName: 'Rosa',
        lastName: 'von  R',
      },
    });
  });
  test.each([
    '',
    'rosa',
    '@example.org',
    'rosa@',
    'rosa@example',
    'ro sa@example.org',
    'rosa@@example.org',
    'rosa@.org',
    'ro\0sa@example.org',
    `${'r'.repeat(65)}@example.org`,
    5,
    null,
  ])('is refused with the address %j', (email) => {
    expect(register({ email })).toMatchObject({ ok: false, code: 'BAD_USER_INPUT', field: 'email' });
  });
  test.each([
    '',
    '1234567',
    'p'.repeat(129),
    '🐎🐎🐎🐎',
    '🐎'.repeat(129),
    'pass\0word',
    'pass\ud800word',
    12345678,
  ])('is refused with the password %j', (password) => {
    expect(register({ password })).toMatchObject({
      ok: false,
      field: 'password',
      message: 'A password has 8 to 128 characters.',
    });
  });
  test.each(['password', 'PassWord', '12345678'])('is refused with the common password %j', (password) => {
    expect(register({ password })).toMatchObject({
      ok: false,
      field: 'password',
      message: expect.stringContaining('commonest'),
    });
  });
  test.each(['', '  ', 'n'.repeat(101), 'Ro\0sa', 'Ro\nsa', '\udc00', null])(
    'is refused with the name %j',
    (name) => {
      expect(register({ firstName: name })).toMatchObject({ ok: false, field: 'firstName' });
      expect(register({ lastName: name })).toMatchObject({ ok: false, field: 'lastName' });
    },
  );
  test.each(['87654312', 'p'.repeat(128), 'pässwörd', '🐎'.repeat(8), '🐎'.repeat(128)])(
    'takes the password %j',
    (password) => {
      expect(register({ password }).ok).toBe(true);
    },
  );
});

test('of a profile what is left out, or null, stays; the rest is checked as of a registration', () => {
  expect(readInput(profileUpdate, { firstName: ' Rosa ', lastName: null })).toEqual({
    ok: true,
    value: { email: null, firstName: 'Rosa', lastName: null },
  });
  expect(readInput(profileUpdate, { email: 'rosa' })).toMatchObject({ ok: false, field: 'email' });
});

test('a new password is no common one', () => {
  const given = { currentPassword: 'password', newPassword: 'password' };
  expect(readInput(passwordChange, given)).toMatchObject({ ok: false, field: 'newPassword' });
});
