import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { Pool } from 'undici';
import { projectPath } from '../../platform/root.js';
import { query, representations } from './memory.js';
import type { Way } from './ways.js';

/** Requests under way at once. */
const concurrency = 16;

export interface Measure {
  perSecond: number;
  /** Of the server, a request. */
  cpuMs: number;
}

export interface Served {
  way: Way;
  /** The body of one answer. */
  answer(entities: number): Promise<string>;
  /** Asks for so many ms, as fast as it goes. */
  measure(entities: number, forMs: number): Promise<Measure>;
  stop(): void;
}

/** Starts a server of that way, on one core, where the machine has `taskset`. */
export async function serve(way: Way, options: { jwks: object; authorization: string }): Promise<Served> {
  const child = fork(projectPath('bench', 'subgraph', 'server.ts'), [way], {
    execArgv: ['--max-semi-space-size=64', '--import', 'tsx'],
    env: { PATH: process.env['PATH'], NODE_ENV: 'production', JWKS: JSON.stringify(options.jwks) },
  });
  const [{ port }] = (await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => Promise.reject(new Error(`${way} does not start`))),
  ])) as [{ port: number }];
  pin(child);
  const pool = new Pool(`http://127.0.0.1:${port}`, { connections: concurrency, pipelining: 1 });

  async function ask(body: string): Promise<string> {
    const { statusCode, body: answered } = await pool.request({
      ...{ path: way === 'standalone' ? '/' : '/graphql', method: 'POST', body },
      headers: { 'content-type': 'application/json', authorization: options.authorization },
    });
    const text = await answered.text();
    if (statusCode !== 200) throw new Error(`${way} answers ${statusCode}: ${text}`);
    return text;
  }

  const bodyOf = (entities: number): string =>
    JSON.stringify({ query, variables: { representations: representations(entities) } });

  return {
    way,
    answer: (entities) => ask(bodyOf(entities)),
    async measure(entities, forMs) {
      const body = bodyOf(entities);
      const before = await cpuOf(child);
      const began = performance.now();
      let count = 0;
      const sender = async () => {
        while (performance.now() - began < forMs) {
          await ask(body);
          count += 1;
        }
      };
      await Promise.all(Array.from({ length: concurrency }, sender));
      const seconds = (performance.now() - began) / 1000;
      return { perSecond: count / seconds, cpuMs: ((await cpuOf(child)) - before) / count };
    },
    stop: () => child.disconnect(),
  };
}

function pin(child: ChildProcess): void {
  try {
    execFileSync('taskset', ['-acp', '0', String(child.pid)], { stdio: 'ignore' });
  } catch {
    console.error('taskset is missing: servers have all cores');
  }
}

/** So many ms of CPU it has used. */
async function cpuOf(child: ChildProcess): Promise<number> {
  child.send('cpu');
  const [{ cpu }] = (await once(child, 'message')) as [{ cpu: NodeJS.CpuUsage }];
  return (cpu.user + cpu.system) / 1000;
}
