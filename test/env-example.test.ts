import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { expect, test } from 'vitest';
import { loadConfig, variables } from '../platform/config.js';
import { projectPath } from '../platform/root.js';

const example = parseEnv(readFileSync(projectPath('.env.example'), 'utf8'));

test('.env.example names every variable and no other', () => {
  expect(Object.keys(example).sort()).toEqual([...variables].sort());
});

test('.env.example changes nothing when it is copied as it is', () => {
  expect(loadConfig(example)).toEqual(loadConfig({}));
});
