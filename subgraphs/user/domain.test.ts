import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { roles } from '../../platform/auth/principal.js';
import { projectPath } from '../../platform/root.js';
import { enumValues } from '../../test/support/machines.js';
import { decideRegistration, isEmail } from './domain.js';

const rosa = { email: 'rosa@example.org', password: 'correct horse', firstName: 'Rosa', lastName: 'Random' };

test('the roles are those of the SDL', () => {
  const sdl = readFileSync(projectPath('subgraphs', 'user', 'schema.graphql'), 'utf8');
  expect([...roles].sort()).toEqual(enumValues(sdl, 'Role').sort());
});

describe('a registration', () => {
  test('is taken as it is where all is well', () => {
    expect(decideRegistration(rosa)).toEqual({ ok: true, value: rosa });
  });
  test('loses capitals and spaces of its address, and the spaces around the names, and nothing of the password', () => {
    const given = {
      email: ' Rosa@Example.ORG ',
      password: ' Correct horse ',
      firstName: ' Rosa ',
      lastName: 'von  R',
    };
    expect(decideRegistration(given)).toEqual({
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
    expect(decideRegistration({ ...rosa, email })).toMatchObject({
      ok: false,
      code: 'BAD_USER_INPUT',
      field: 'email',
    });
  });
  test.each(['', '1234567', 'p'.repeat(129), 'pass\0word', 'pass\ud800word', 12345678])(
    'is refused with the password %j',
    (password) => {
      expect(decideRegistration({ ...rosa, password })).toMatchObject({ ok: false, field: 'password' });
    },
  );
  test.each(['', '  ', 'n'.repeat(101), 'Ro\0sa', 'Ro\nsa', '\udc00', null])(
    'is refused with the name %j',
    (name) => {
      expect(decideRegistration({ ...rosa, firstName: name })).toMatchObject({
        ok: false,
        field: 'firstName',
      });
      expect(decideRegistration({ ...rosa, lastName: name })).toMatchObject({ ok: false, field: 'lastName' });
    },
  );
  test.each(['12345678', 'p'.repeat(128), 'pässwörd', '🐎🐎🐎🐎'])('takes the password %j', (password) => {
    expect(decideRegistration({ ...rosa, password }).ok).toBe(true);
  });
});

test('an address has at most 254 characters', () => {
  const host = (length: number) => `rosa@${'e'.repeat(length - 9)}.org`;
  expect([isEmail(host(254)), isEmail(host(255))]).toEqual([true, false]);
});
