import { afterEach, expect, test, vi } from 'vitest';
import type { Principal } from './principal.js';
import {
  createRights,
  heedRights,
  type RightsNews,
  readRightsPayload,
  rightsKeptMs,
  rightsPayload,
} from './rights.js';

afterEach(() => void vi.useRealTimers());

const token = (userId: string, rights?: number): Principal => ({
  ...{ userId, role: 'CUSTOMER', expiresAt: Date.now() + 60_000 },
  ...(rights !== undefined && { rights }),
});

test('tokens of fewer rights are over, those of as many and of others are not; news that come late change nothing', () => {
  const rights = createRights();
  rights.note([{ userId: 'rosa', rights: 3 }]);
  rights.note([{ userId: 'rosa', rights: 2 }]);
  expect([token('rosa'), token('rosa', 2), token('rosa', 3), token('ben')].map(rights.isOver)).toEqual([
    ...[true, true, false, false],
  ]);
});

test('who waits is told once, and at once where it has happened; who left is not', () => {
  const rights = createRights();
  const told: string[] = [];
  rights.whenOver(token('rosa'), () => told.push('rosa'));
  rights.whenOver(token('rosa', 2), () => told.push('newer'));
  rights.whenOver(token('rosa'), () => told.push('gone'))();
  rights.whenOver(token('ben'), () => told.push('ben'));
  rights.note([{ userId: 'rosa', rights: 2 }]);
  rights.note([{ userId: 'rosa', rights: 2 }]);
  expect(told).toEqual(['rosa']);
  rights.whenOver(token('rosa'), () => told.push('late'));
  rights.note([{ userId: 'rosa', rights: 3 }]);
  expect(told).toEqual(['rosa', 'late', 'newer']);
});

test('who follows is told what was, then what comes, until they leave', () => {
  const rights = createRights();
  const told: RightsNews[][] = [];
  const follow = () => rights.follow((news) => told.push([...news]));
  const leaveFirst = follow();
  rights.note([{ userId: 'rosa', rights: 2 }]);
  leaveFirst();
  follow();
  rights.note([
    { userId: 'rosa', rights: 2 },
    { userId: 'ben', rights: 2 },
  ]);
  const rosa = { user: expect.stringMatching(/^[\w-]{43}$/), rights: 2 };
  expect(told).toEqual([[rosa], [rosa], [{ user: expect.not.stringMatching('ben'), rights: 2 }]]);
  // Who hears it knows whose it is by the ids that they have.
  const other = createRights();
  other.hear(told[2] ?? []);
  expect([token('rosa'), token('ben')].map(other.isOver)).toEqual([false, true]);
});

test('what no token can be older than is forgotten', () => {
  vi.useFakeTimers();
  const rights = createRights();
  rights.note([{ userId: 'rosa', rights: 2 }]);
  vi.advanceTimersByTime(rightsKeptMs + 1);
  rights.note([{ userId: 'ben', rights: 2 }]);
  expect([token('rosa'), token('ben')].map(rights.isOver)).toEqual([false, true]);
});

test('a token that was verified before is refused all the same', async () => {
  const rights = createRights();
  const principal = token('rosa');
  const verifier = heedRights({ verify: async () => principal, recall: () => principal }, rights);
  expect(verifier.recall?.('any')).toBe(principal);
  expect(await verifier.verify('any')).toBe(principal);
  rights.note([{ userId: 'rosa', rights: 2 }]);
  expect(verifier.recall?.('any')).toBeUndefined();
  await expect(verifier.verify('any')).rejects.toMatchObject({ extensions: { code: 'UNAUTHENTICATED' } });
});

test('what a ping tells comes back as it was; what is none of it tells nothing', () => {
  const news = [{ user: 'rosa', rights: 2 }];
  expect(readRightsPayload(JSON.parse(JSON.stringify(rightsPayload(news))))).toEqual(news);
  for (const rights of [undefined, 5, [5], [[5, 5]], [['rosa']], [['rosa', '2']]])
    expect(readRightsPayload({ rights })).toEqual([]);
  expect(readRightsPayload(undefined)).toEqual([]);
});
