import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectPath } from '../../platform/root.js';
import { type Child, startChild } from './child.js';
import type { Surroundings } from './contestants.js';
import type { FloorFetches } from './floor/fetches.js';
import { startKeys } from './keys.js';
import { planFetches } from './plan.js';
import { queries } from './queries.js';
import { composeSupergraph, subgraphs as sdls, subgraphNames } from './schema.js';

/** Everything but the contestants: the subgraphs, what sends the load, the keys of the token, and the supergraph. */
export interface Stage {
  subgraphs: Child;
  load: Child;
  surroundings: Surroundings;
  /** Of every request. */
  headers: Record<string, string>;
  counts(): Promise<Counts>;
  stop(): Promise<void>;
}

/** What the subgraphs have been asked since they started. */
export interface Counts {
  fetches: number;
  /** Fetches unlike all before them. */
  distinct: number;
  withoutToken: number;
}

/** The contestant has the first processor for itself, all else shares the second. */
export const cores = { contestant: 0, others: 1 };

export async function setStage(folder: string, profile: string | undefined): Promise<Stage> {
  const keys = await startKeys();
  const start = (name: string) =>
    startChild({
      ...{ name, folder, core: cores.others, messages: true },
      command: [process.execPath, projectPath('dist', 'bench', 'gateway', 'children', `${name}.js`)],
    });
  const subgraphs = start('subgraphs');
  const load = start('load');
  const [ports] = (await Promise.race([
    once(subgraphs.process, 'message'),
    subgraphs.ended.then((how) => {
      throw new Error(`the subgraphs' process ended with ${how}:\n${subgraphs.output()}`);
    }),
  ])) as [Record<string, number>];
  const urls = Object.fromEntries(
    Object.entries(ports).map(([name, port]) => [name, `http://127.0.0.1:${port}/graphql`]),
  );
  const sdl = composeSupergraph(urls);
  const fetches: FloorFetches = {
    urls,
    fetches: { small: planFetches(sdl, queries.small), big: planFetches(sdl, queries.big) },
  };
  const surroundings = {
    supergraph: join(folder, 'supergraph.graphql'),
    fetches: join(folder, 'fetches.json'),
    services: join(folder, 'services.json'),
    jwksUrl: keys.url,
    profile,
  };
  await writeFile(surroundings.supergraph, sdl);
  await writeFile(surroundings.fetches, JSON.stringify(fetches));
  const services = subgraphNames.map((name) => ({ name, url: urls[name], schema: sdls[name] }));
  await writeFile(surroundings.services, JSON.stringify(services));
  return {
    ...{ subgraphs, load, surroundings },
    headers: {
      'content-type': 'application/json',
      accept: 'application/graphql-response+json, application/json',
      authorization: keys.authorization,
    },
    counts: async () => (await (await fetch(`http://127.0.0.1:${ports['users']}/counts`)).json()) as Counts,
    async stop() {
      await Promise.all([subgraphs.stop(), load.stop()]);
      keys.stop();
    },
  };
}
