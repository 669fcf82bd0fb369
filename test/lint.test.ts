import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { projectPath } from '../platform/root.js';

// Files with one import each, in the project's layout and under its rules.
const allowed = {
  'main.ts': './gateway/execute/server.js',
  'app/all.ts': '../subgraphs/order/index.js',
  'gateway/execute/server.ts': '../../platform/log.js',
  'subgraphs/order/commands.ts': '../../events/order.js',
  'subgraphs/order/index.ts': './generated/prisma/client.js',
  'subgraphs/order/resolvers/query.ts': '../reads.js',
  'subgraphs/order/resolvers/mutation.ts': '../../../platform/errors.js',
  'events/order.ts': '../platform/bus/event.js',
  'platform/bus/embedded.ts': '../postgres/database.js',
  'test/flow.test.ts': '../subgraphs/order/index.js',
};

const refused = {
  'gateway/a.ts': '../subgraphs/order/domain.js',
  'gateway/execute/b.ts': '../../events/order.js',
  'gateway/c.ts': '../app/all.js',
  'subgraphs/order/a.ts': '../payment/domain.js',
  'subgraphs/order/b.ts': '../../subgraphs/payment/domain.js',
  'subgraphs/order/c.ts': '../../gateway/execute/server.js',
  'subgraphs/order/d.ts': '../../main.js',
  'subgraphs/order/resolvers/e.ts': '../../payment/domain.js',
  'subgraphs/order/resolvers/f.ts': '../../../gateway/execute/server.js',
  'events/a.ts': '../subgraphs/order/domain.js',
  'events/b.ts': '../gateway/execute/server.js',
  'platform/a.ts': '../events/order.js',
  'platform/bus/b.ts': '../../subgraphs/order/domain.js',
  'platform/c.ts': '../gateway/execute/server.js',
  'platform/d.ts': '../main.js',
};

const domains = {
  'subgraphs/user/domain.ts': `import type { Client } from 'pg';\nexport type Value = Client;\n`,
  'subgraphs/order/domain.ts': `import { ok } from '../../platform/errors.js';\nexport const value = ok;\n`,
  'subgraphs/payment/domain.ts': `import pg from 'pg';\nexport const value = pg;\n`,
  'subgraphs/delivery/domain.ts': `import { hostname } from 'node:os';\nexport const value = hostname;\n`,
};

let root: string;
let complaints: { file: string; rule: string }[];

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'doorstep-lint-'));
  await cp(projectPath('biome.json'), join(root, 'biome.json'));
  await cp(projectPath('scripts', 'lint'), join(root, 'scripts', 'lint'), { recursive: true });
  for (const [file, source] of Object.entries({ ...allowed, ...refused })) {
    await write(file, `import { value } from '${source}';\n\nexport const copy = value;\n`);
  }
  for (const [file, text] of Object.entries(domains)) await write(file, text);
  await write('platform/one.ts', `import { two } from './two.js';\n\nexport const one = () => two;\n`);
  await write('platform/two.ts', `import { one } from './one.js';\n\nexport const two = () => one;\n`);
  await write('subgraphs/order/generated/graphql.ts', `import { value } from '../../payment/domain.js';\n`);
  complaints = await lint();
});

afterAll(() => rm(root, { recursive: true }));

async function write(file: string, text: string): Promise<void> {
  await mkdir(join(root, dirname(file)), { recursive: true });
  await writeFile(join(root, file), text);
}

function lint(): Promise<{ file: string; rule: string }[]> {
  const biome = projectPath('node_modules', '@biomejs', 'biome', 'bin', 'biome');
  const args = [biome, 'lint', '--reporter=json', '--max-diagnostics=none'];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { cwd: root }, (_, stdout, stderr) => {
      if (!stdout.startsWith('{')) return reject(new Error(stderr));
      const report: { diagnostics: { category: string; location: { path: string } }[] } = JSON.parse(stdout);
      resolve(report.diagnostics.map(({ category, location }) => ({ file: location.path, rule: category })));
    });
  });
}

const rulesOf = (file: string) =>
  complaints.filter((complaint) => complaint.file === file).map(({ rule }) => rule);

describe('imports between folders', () => {
  test.each(Object.entries(refused))('%s may not import %s', (file) => {
    expect(rulesOf(file)).toEqual(['lint/style/noRestrictedImports']);
  });

  test.each(Object.entries(allowed))('%s may import %s', (file) => {
    expect(rulesOf(file)).toEqual([]);
  });

  test('no two files import each other', () => {
    expect(rulesOf('platform/one.ts')).toEqual(['lint/suspicious/noImportCycles']);
    expect(rulesOf('platform/two.ts')).toEqual(['lint/suspicious/noImportCycles']);
  });

  test('generated code is not looked at', () => {
    expect(rulesOf('subgraphs/order/generated/graphql.ts')).toEqual([]);
  });
});

describe('domain.ts', () => {
  test('may import types, and the values of platform/errors.ts', () => {
    expect(rulesOf('subgraphs/user/domain.ts')).toEqual([]);
    expect(rulesOf('subgraphs/order/domain.ts')).toEqual([]);
  });

  test('may import nothing else', () => {
    expect(rulesOf('subgraphs/payment/domain.ts')).toEqual(['plugin']);
    expect(rulesOf('subgraphs/delivery/domain.ts')).toEqual(['plugin']);
  });
});
