import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { contracts } from './index.js';

const isContract = (value: unknown): value is (typeof contracts)[number] =>
  typeof value === 'object' && value !== null && 'topic' in value && 'schema' in value;

test('all contracts are in the list of all, each topic once', async () => {
  const files = readdirSync(import.meta.dirname).filter((name) => /^\w+\.ts$/.test(name));
  const modules = await Promise.all(files.map((name) => import(join(import.meta.dirname, name))));
  const defined = modules.flatMap((module) => Object.values(module as object)).filter(isContract);
  expect(defined.length).toBeGreaterThan(10);
  expect(new Set(contracts)).toEqual(new Set(defined));
  expect(new Set(contracts.map(({ topic }) => topic)).size).toBe(contracts.length);
});
