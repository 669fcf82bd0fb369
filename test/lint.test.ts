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
  'codegen.ts': './scripts/closing-line.js',
  'scripts/generate.ts': '../codegen.js',
  'gateway/execute/server.ts': '../../platform/log.js',
  'gateway/index.test.ts': '../test/support/wait.js',
  'subgraphs/order/commands.ts': '../../events/order.js',
  'subgraphs/order/commands.test.ts': '../../test/support/service.js',
  'subgraphs/order/index.ts': './generated/prisma/client.js',
  'subgraphs/order/resolvers/query.ts': '../reads.js',
  'subgraphs/order/resolvers/again.ts': '../../order/reads.js',
  'subgraphs/order/resolvers/mutation.ts': '../../../platform/errors.js',
  'subgraphs/migrations.test.ts': '../test/support/service.js',
  'events/order.ts': '../platform/bus/event.js',
  'platform/bus/embedded.ts': '../postgres/database.js',
  'platform/testing/live.ts': '../live/channel.js',
  'platform/log.ts': 'pino',
  'test/flow.test.ts': '../subgraphs/order/index.js',
  'test/support/system.ts': '../../app/all.js',
  'bench/flow/floor.ts': '../../platform/log.js',
};

const refused = {
  'app/a.ts': '../main.js',
  'gateway/a.ts': '../subgraphs/order/domain.js',
  'gateway/execute/b.ts': '../../events/order.js',
  'gateway/c.ts': '../app/all.js',
  'subgraphs/order/a.ts': '../payment/domain.js',
  'subgraphs/order/b.ts': '../../subgraphs/payment/domain.js',
  'subgraphs/order/c.ts': '../../gateway/execute/server.js',
  'subgraphs/order/d.ts': '../../main.js',
  'subgraphs/order/g.ts': './../payment/index.js',
  'subgraphs/order/h.test.ts': '../payment/domain.js',
  'subgraphs/order/i.ts': '../shared.js',
  'subgraphs/order/resolvers/e.ts': '../../payment/domain.js',
  'subgraphs/order/resolvers/f.ts': '../../../gateway/execute/server.js',
  'subgraphs/order/sub/deep/a.ts': '../../../payment/index.js',
  'events/a.ts': '../subgraphs/order/domain.js',
  'events/b.ts': '../gateway/execute/server.js',
  'platform/a.ts': '../events/order.js',
  'platform/bus/b.ts': '../../subgraphs/order/domain.js',
  'platform/c.ts': '../gateway/execute/server.js',
  'platform/d.ts': '../main.js',
  'platform/e.ts': './../events/order.js',
  'platform/f.ts': '../test/support/wait.js',
  'platform/g.ts': '../scripts/closing-line.js',
  'platform/h.ts': '../codegen.js',
  'platform/i.ts': '../dist/events/order.js',
  'platform/testing/a.ts': '../../test/support/wait.js',
  'test/a.ts': '../scripts/closing-line.js',
  'bench/a.ts': '../scripts/closing-line.js',
};

const order = '../subgraphs/order/index.js';

// Every way to name a module, on the second line of a file in platform/.
const spellings = {
  'import-type': `export type X = import('${order}').Subgraph;`,
  'type-only': `import type { X } from '${order}';`,
  'side-effect': `import '${order}';`,
  're-export': `export * from "${order}";`,
  dynamic: `export const x = await import(/* webpack: no */ ('${order}'));`,
  template: `export const x = (name: string) => import(\`../subgraphs/\${name}/index.js\`);`,
  nested: `export const x = \`\${\`}\${{}}\`}\${await import('${order}')}\`;`,
  require: `export const x = require('${order}');`,
  resolve: `export const x = import.meta.resolve('${order}');`,
  escape: `import '\\u002e./subgraphs/order/index.js';`,
  'after-a-regex': `export const x = /['"\`]/.test('') || import('${order}');`,
  'between-comments': `import x /* from */ from // './log.js'\n'${order}';`,
};

// What only looks like an import.
const lookalikes = {
  comment: `// import '${order}';\n/* import '${order}' */`,
  text: `export const x = "import '${order}'";`,
  path: `export const x = ['${order}'];`,
  regex: `export const x = /import '\\.\\/subgraphs'/;`,
};

const domains = {
  'subgraphs/user/domain.ts': `import type { Client } from 'pg';\nexport type Value = Client;\n`,
  'subgraphs/order/domain.ts': `import { ok } from '../../platform/errors.js';\nexport const value = ok;\n`,
  'subgraphs/payment/domain.ts': `import pg from 'pg';\nexport const value = pg;\n`,
  'subgraphs/delivery/domain.ts': `import { hostname } from 'node:os';\nexport const value = hostname;\n`,
};

let root: string;
let complaints: { file: string; rule: string }[];
let violations: string[];

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'doorstep-lint-'));
  await cp(projectPath('biome.json'), join(root, 'biome.json'));
  await cp(projectPath('scripts', 'lint'), join(root, 'scripts', 'lint'), { recursive: true });
  for (const [file, source] of Object.entries({ ...allowed, ...refused })) {
    await write(file, `import { value } from '${source}';\n\nexport const copy = value;\n`);
  }
  for (const [name, text] of Object.entries({ ...spellings, ...lookalikes })) {
    await write(`platform/spelling.${name}.ts`, `\n${text}\n`);
  }
  for (const [file, text] of Object.entries(domains)) await write(file, text);
  await write('platform/one.ts', `import { two } from './two.js';\n\nexport const one = () => two;\n`);
  await write('platform/two.ts', `import { one } from './one.js';\n\nexport const two = () => one;\n`);
  await write('subgraphs/order/generated/graphql.ts', `import { value } from '../../payment/domain.js';\n`);
  [complaints, violations] = await Promise.all([lint(), checkImports()]);
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

/** What scripts/imports.ts prints about the tree, line by line. */
function checkImports(): Promise<string[]> {
  const tsx = projectPath('node_modules', 'tsx', 'dist', 'cli.mjs');
  const args = [tsx, projectPath('scripts', 'imports.ts'), root];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, (error, stdout, stderr) => {
      if (error?.code !== 1 || stdout !== '')
        return reject(error ?? new Error(`It found nothing: ${stdout}`));
      resolve(stderr.trimEnd().split('\n'));
    });
  });
}

const violationsOf = (file: string) => violations.filter((line) => line.startsWith(`${file}:`));

const rulesOf = (file: string) =>
  complaints.filter((complaint) => complaint.file === file).map(({ rule }) => rule);

describe('imports between folders', () => {
  test.each(Object.entries(refused))('%s may not import %s', (file, source) => {
    expect(violationsOf(file)).toEqual([expect.stringMatching(/:1: \S+ may not import \S+: /)]);
    expect(violationsOf(file)[0]).toContain(`: ${source}`);
  });

  test.each(Object.entries(allowed))('%s may import %s', (file) => {
    expect(violationsOf(file)).toEqual([]);
    expect(rulesOf(file)).toEqual([]);
  });

  test.each(Object.keys(spellings))('however it is written: %s', (name) => {
    const file = `platform/spelling.${name}.ts`;
    expect(violationsOf(file)).toEqual([
      expect.stringMatching(/:[23]: platform\/ may not import subgraphs\//),
    ]);
  });

  test.each(Object.keys(lookalikes))('what only looks like one is none: %s', (name) => {
    expect(violationsOf(`platform/spelling.${name}.ts`)).toEqual([]);
  });

  test('nothing else is complained of', () => {
    expect(violations).toHaveLength(Object.keys(refused).length + Object.keys(spellings).length);
  });

  test('no two files import each other', () => {
    expect(rulesOf('platform/one.ts')).toEqual(['lint/suspicious/noImportCycles']);
    expect(rulesOf('platform/two.ts')).toEqual(['lint/suspicious/noImportCycles']);
  });

  test('generated code is not looked at', () => {
    expect(rulesOf('subgraphs/order/generated/graphql.ts')).toEqual([]);
    expect(violationsOf('subgraphs/order/generated/graphql.ts')).toEqual([]);
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
