import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { kafkaClasspath } from './maven.js';

let folder: string;
let logged: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'doorstep-maven-test-'));
  logged = [];
  await mkdir(join(folder, 'bin'));
  for (const jar of ['kafka.jar', 'slf4j.jar']) await writeFile(join(folder, jar), '');
  vi.stubEnv('PATH', join(folder, 'bin'));
  vi.stubEnv('XDG_CACHE_HOME', join(folder, 'cache'));
});
afterEach(() => rm(folder, { recursive: true }));

const ask = () => kafkaClasspath({ log: (line, level) => void logged.push(`${level}: ${line}`) });
const failure = () => ask().then(String, (error: Error) => error.message);
const jars = () => [join(folder, 'kafka.jar'), join(folder, 'slf4j.jar')].join(delimiter);

/** Puts a program on the PATH, which has no other. */
const program = (name: string, script: string) =>
  writeFile(join(folder, 'bin', name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
const java = (version: string) => program('java', `echo 'openjdk version "${version}" 2025-04-15' >&2`);
/** Its `answer` may look at $offline, and writes to $output. */
const maven = (answer: string) =>
  program(
    'mvn',
    `echo run >>${folder}/runs
    for argument; do case "$argument" in
      --offline) offline=yes ;;
      -Dmdep.outputFile=*) output=\${argument#*=} ;;
    esac; done
    ${answer}`,
  );
const found = () => `echo '${jars()}' >"$output"`;
const runs = async () =>
  (await readFile(join(folder, 'runs'), 'utf8').catch(() => '')).split('\n').length - 1;

const toDo =
  'install them (on Debian: apt-get install default-jre-headless maven), or set KAFKA_BROKERS to a broker that runs';

test('where java is missing, one line says what to install', async () => {
  await maven(found());
  expect(await failure()).toBe(
    `a Kafka broker of our own needs Java 17 or newer and Maven, and java is missing: ${toDo}`,
  );
});

test.each(['11.0.2', '1.8.0_402'])('Java %s is too old', async (version) => {
  await java(version);
  expect(await failure()).toContain(`and java is version ${Number.parseInt(version, 10)}: ${toDo}`);
});

test('where mvn is missing, one line says what to install', async () => {
  await java('17.0.15');
  expect(await failure()).toBe(
    `a Kafka broker of our own needs Java 17 or newer and Maven, and mvn is missing: ${toDo}`,
  );
  expect(logged).toEqual([]);
});

test('what Maven has on this machine needs no network', async () => {
  await java('21');
  await maven(`[ "$offline" ] || exit 1; ${found()}`);
  expect(await ask()).toBe(jars());
  expect(logged).toEqual([]);
});

test('what it lacks is fetched, and said to be', async () => {
  await java('17.0.15');
  await maven(`[ "$offline" ] && exit 1; ${found()}`);
  expect(await ask()).toBe(jars());
  expect(logged).toEqual(['info: fetching Kafka 4.1.1 by Maven, about 60 MB once']);
});

test('Maven is asked once, and again when a jar has gone', async () => {
  await java('17.0.15');
  await maven(found());
  expect([await ask(), await ask()]).toEqual([jars(), jars()]);
  expect(await runs()).toBe(1);

  await rm(join(folder, 'slf4j.jar'));
  await maven(`echo >${join(folder, 'slf4j.jar')}; ${found()}`);
  expect(await ask()).toBe(jars());
  expect(await runs()).toBe(2);
});

test('those who ask at once all get it, and leave one file', async () => {
  await java('17.0.15');
  await maven(found());
  expect(new Set(await Promise.all([ask(), ask(), ask(), ask()]))).toEqual(new Set([jars()]));
  expect(await readdir(join(folder, 'cache', 'doorstep'))).toEqual([
    expect.stringMatching(/^kafka-4\.1\.1-[0-9a-f]{8}\.classpath$/),
  ]);
});

test('where it cannot be kept, it is found all the same', async () => {
  await java('17.0.15');
  await maven(found());
  await writeFile(join(folder, 'cache'), 'a file where the folder should be');
  expect(await ask()).toBe(jars());
});

test('why Maven could not fetch it is one line, the cause at the bottom', async () => {
  await java('17.0.15');
  const chain =
    'Failed to execute goal on project kafka-broker: Could not resolve dependencies for project doorstep:kafka-broker:pom:1: Failed to read artifact descriptor: Could not transfer artifact org.apache.kafka:kafka_2.13:pom:4.1.1 from/to central: Connection refused -> [Help 1]';
  await maven(
    `printf '\\033[0m[ERROR] ${chain}\\n[ERROR] \\n[ERROR] To see the full stack trace\\n'; exit 1`,
  );
  expect(await failure()).toBe(
    'Maven could not fetch Kafka 4.1.1: Could not transfer artifact org.apache.kafka:kafka_2.13:pom:4.1.1 from/to central: Connection refused',
  );
});

test('a fetch that is under way can be told to end', async () => {
  await java('17.0.15');
  await maven(`exec /bin/sleep 60`);
  const told = new AbortController();
  const asking = kafkaClasspath({ log: () => {}, signal: told.signal });
  await expect.poll(runs).toBe(1);
  told.abort();
  await expect(asking).rejects.toThrow('aborted');
});
