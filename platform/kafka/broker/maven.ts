import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { access, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify, stripVTControlCharacters } from 'node:util';
import type { KeeperLog } from '../../keeper.js';

const run = promisify(execFile);

const version = '4.1.1';
const oldestJava = 17;

// Kafka speaks to slf4j 1.7. The simple logger writes to the error output, where a broker that cannot start
// says why; with slf4j-nop it would end without a word.
const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>doorstep</groupId>
  <artifactId>kafka-broker</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka_2.13</artifactId>
      <version>${version}</version>
    </dependency>
    <dependency>
      <groupId>org.slf4j</groupId>
      <artifactId>slf4j-simple</artifactId>
      <version>1.7.36</version>
    </dependency>
  </dependencies>
</project>
`;

const goal = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:build-classpath';

/** What a fetch of 60 MB may take, in ms, on a slow line. */
const patienceMs = 15 * 60_000;

export interface FetchOptions {
  log: KeeperLog;
  signal?: AbortSignal | undefined;
}

/**
 * The Java classpath of the Kafka broker. Its jars are Maven's, in the user's repository, fetched the first
 * time; where they are is kept in the user's cache folder, since asking Maven takes two seconds.
 * Rejects with one line that says what to install, or why Maven could not fetch them.
 */
export async function kafkaClasspath(options: FetchOptions): Promise<string> {
  await checkJava();
  const kept = await readFile(cacheFile(), 'utf8').catch(() => '');
  if (await isComplete(kept)) return kept;
  const classpath = await askMaven(options);
  // Without it the next start is slower, no more.
  await keep(classpath).catch((error) => options.log(`the classpath is not kept: ${error}`, 'debug'));
  return classpath;
}

async function checkJava(): Promise<void> {
  const found = await run('java', ['-version']).catch(() => undefined);
  if (found === undefined) throw missing('java is missing');
  // version "17.0.15" 2025-04-15, and for those that are too old "1.8.0_402".
  const major = Number(/version "(\d+)/.exec(found.stderr)?.[1] ?? oldestJava);
  if (major < oldestJava) throw missing(`java is version ${major}`);
}

const missing = (what: string) =>
  new Error(
    `a Kafka broker of our own needs Java ${oldestJava} or newer and Maven, and ${what}: install them (on Debian: apt-get install default-jre-headless maven), or set KAFKA_BROKERS to a broker that runs`,
  );

async function askMaven({ log, signal }: FetchOptions): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'doorstep-maven-'));
  try {
    await writeFile(join(folder, 'pom.xml'), pom);
    const offline = await buildClasspath(folder, ['--offline'], signal);
    if ('classpath' in offline) return offline.classpath;
    log(`fetching Kafka ${version} by Maven, about 60 MB once`, 'info');
    // The flag makes it ask again for what it did not find the last time.
    const online = await buildClasspath(folder, ['--update-snapshots'], signal);
    if ('classpath' in online) return online.classpath;
    throw new Error(`Maven could not fetch Kafka ${version}: ${online.reason}`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function buildClasspath(
  folder: string,
  flags: string[],
  signal: AbortSignal | undefined,
): Promise<{ classpath: string } | { reason: string }> {
  const output = join(folder, 'classpath');
  const args = ['--batch-mode', '--quiet', ...flags, goal, `-Dmdep.outputFile=${output}`];
  try {
    await run('mvn', args, { cwd: folder, timeout: patienceMs, ...(signal && { signal }) });
  } catch (error) {
    signal?.throwIfAborted();
    const { code, stdout = '', stderr = '' } = error as NodeJS.ErrnoException & Record<string, string>;
    if (code === 'ENOENT') throw missing('mvn is missing');
    return { reason: reasonIn(`${stdout}\n${stderr}`) };
  }
  const classpath = (await readFile(output, 'utf8')).trim();
  return (await isComplete(classpath)) ? { classpath } : { reason: `${goal} did not name all jars` };
}

/** What went wrong at the bottom of it all: Maven's first error line is a chain of causes. */
function reasonIn(output: string): string {
  const lines = stripVTControlCharacters(output)
    .split('\n')
    .map((line) => line.replace(/^\[\w+\]/, '').trim());
  const first = lines.find((line) => line !== '') ?? 'it said nothing';
  return first.replace(/ -> \[Help \d+\]$/, '').replace(/^.*(?=Could not )/, '');
}

/** One for each pom: another version has another file. */
function cacheFile(): string {
  const folder = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  const mark = createHash('sha256').update(pom).digest('hex').slice(0, 8);
  return join(folder, 'doorstep', `kafka-${version}-${mark}.classpath`);
}

/** Whether all jars are there: Maven's repository may have been emptied since. */
async function isComplete(classpath: string): Promise<boolean> {
  const jars = classpath.split(delimiter).map((jar) => access(jar));
  return Promise.all(jars).then(
    () => true,
    () => false,
  );
}

async function keep(classpath: string): Promise<void> {
  const file = cacheFile();
  await mkdir(join(file, '..'), { recursive: true });
  // Others may read or write it at this moment.
  const mine = `${file}.${randomBytes(6).toString('hex')}`;
  await writeFile(mine, classpath);
  await rename(mine, file);
}
