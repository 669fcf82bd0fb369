/**
 * Writes what is generated: the Prisma client of each service and the types of each subgraph's resolvers,
 * into subgraphs/<service>/generated. What it was made from is remembered as a hash beside it, so that a
 * second run takes no time; `--force` makes all of it anew. Needs no network.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

process.chdir(join(import.meta.dirname, '..'));
const require = createRequire(import.meta.url);
const force = process.argv.includes('--force');

/** One thing to generate. `inputs` are the files it is made from, `output` is the file or folder made. */
interface Task {
  label: string;
  inputs: string[];
  output: string;
  run(): Promise<void>;
}

const prismaTask = (service: string): Task => {
  const schema = `prisma/${service}/schema.prisma`;
  return {
    label: schema,
    inputs: [schema, require.resolve('prisma/package.json')],
    output: `subgraphs/${service}/generated/prisma`,
    run: () => prismaGenerate(schema),
  };
};

const resolverTask = (service: string): Task => {
  const sdl = `subgraphs/${service}/schema.graphql`;
  const output = `subgraphs/${service}/generated/graphql.ts`;
  return {
    label: sdl,
    inputs: [sdl, 'codegen.ts', require.resolve('@graphql-codegen/typescript-resolvers/package.json')],
    output,
    run: () => resolverTypes(output),
  };
};

async function prismaGenerate(schema: string): Promise<void> {
  const cli = join(dirname(require.resolve('prisma/package.json')), 'build/index.js');
  const env = {
    ...process.env,
    // Only migrations use the schema engine; naming any file that exists keeps Prisma from downloading it.
    PRISMA_SCHEMA_ENGINE_BINARY: process.env.PRISMA_SCHEMA_ENGINE_BINARY ?? process.execPath,
    CHECKPOINT_DISABLE: '1',
    PRISMA_HIDE_UPDATE_MESSAGE: '1',
    NO_COLOR: '1',
  };
  const args = [cli, 'generate', '--schema', schema, '--no-hints'];
  await promisify(execFile)(process.execPath, args, { env }).catch(
    (error: { stdout: string; stderr: string }) => {
      throw new Error(`${error.stderr}${error.stdout}`.trim());
    },
  );
}

async function resolverTypes(output: string): Promise<void> {
  const { generate } = await import('@graphql-codegen/cli');
  const { default: config } = await import('../codegen.js');
  const wanted = config.generates[output];
  if (wanted === undefined) throw new Error('The service is not among the mappers of codegen.ts.');
  const [file] = await generate({ ...config, generates: { [output]: wanted } }, false).catch(
    (error: unknown) => {
      const causes = error instanceof AggregateError ? error.errors : [error];
      throw new Error(
        causes.map((cause) => (cause instanceof Error ? cause.message : String(cause))).join('\n'),
      );
    },
  );
  if (file === undefined) throw new Error('Nothing was generated.');
  await writeFile(output, file.content);
}

const stampOf = (task: Task) => `${task.output}.sha256`;

async function fingerprint(task: Task): Promise<string> {
  const hash = createHash('sha256');
  for (const input of task.inputs) hash.update(await readFile(input));
  return hash.digest('hex');
}

async function isFresh(task: Task): Promise<boolean> {
  if (force || !existsSync(task.output)) return false;
  const stamp = await readFile(stampOf(task), 'utf8').catch(() => '');
  return stamp === (await fingerprint(task));
}

/** Runs the task when something it is made from has changed. The message of what went wrong, or none. */
async function perform(task: Task): Promise<string | undefined> {
  if (await isFresh(task)) return undefined;
  await rm(stampOf(task), { force: true });
  await mkdir(dirname(task.output), { recursive: true });
  try {
    await task.run();
    await writeFile(stampOf(task), await fingerprint(task));
    console.log(`generated ${task.output}`);
    return undefined;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return `${task.label}: ${message.replaceAll('\n', '\n  ')}`;
  }
}

/** The folders of `parent` that have the file. */
async function foldersWith(parent: string, file: string): Promise<string[]> {
  const names = existsSync(parent) ? await readdir(parent) : [];
  return names.filter((name) => existsSync(join(parent, name, file))).sort();
}

const tasks = [
  ...(await foldersWith('prisma', 'schema.prisma')).map(prismaTask),
  ...(await foldersWith('subgraphs', 'schema.graphql')).map(resolverTask),
];
const failures = (await Promise.all(tasks.map(perform))).filter((failure) => failure !== undefined);
for (const failure of failures) console.error(`npm run generate failed at ${failure}`);
if (failures.length > 0) process.exitCode = 1;
