import { projectPath } from '../../platform/root.js';
import { peerPath } from './peers.js';

/** Who is measured, in the order of the table, and what the table calls them. */
export const titles = {
  stock: 'Apollo Server + ApolloGateway',
  undici: '+ a data source on undici',
  hive: 'Hive Gateway',
  mercurius: 'Mercurius gateway',
  ours: 'Doorstep',
  'ours-apollo': 'Doorstep, GATEWAY_EXECUTOR=apollo',
  floor: 'floor: no GraphQL at all',
} as const;
export type ContestantName = keyof typeof titles;
export const contestantNames = Object.keys(titles) as ContestantName[];

/** Those that have to be installed. */
export const peerNames: readonly ContestantName[] = ['hive', 'mercurius'];

export interface Contestant {
  command: string[];
  env: Record<string, string>;
  /** Whether it goes by the plans of Apollo's planner, and so makes the fetches that those have. */
  planned: boolean;
}

export interface Surroundings {
  /** A file with the supergraph's SDL. */
  supergraph: string;
  /** A file with FloorFetches. */
  fetches: string;
  /** A file with a list of { name, url, schema }, for Mercurius. */
  services: string;
  jwksUrl: string;
  /** Where ours keep a CPU profile, if anywhere. */
  profile?: string | undefined;
}

const node = process.execPath;
const script = (name: string): string => projectPath('dist', 'bench', 'gateway', 'children', name);

/** As in production: token checks, limits, metrics and request logs are on. This load stays within the limits. */
const production = {
  LOG_LEVEL: 'debug',
  LOG_FORMAT: 'json',
  METRICS_PORT: '0',
  REQUEST_DEDUP: 'off',
  TRUSTED_DOCUMENTS: 'off',
  RATE_LIMIT_RPS: '1000000',
  MAX_DEPTH: '20',
  MAX_COST: '100000',
};

export function contestant(name: ContestantName, port: number, around: Surroundings): Contestant {
  const { supergraph } = around;
  const apollo = (...more: string[]): Contestant => ({
    command: [node, script('stock.js'), supergraph, String(port), ...more],
    env: { APOLLO_TELEMETRY_DISABLED: 'true' },
    planned: true,
  });
  switch (name) {
    case 'stock':
      return apollo();
    case 'undici':
      return apollo('undici');
    case 'hive':
      return {
        command: [
          ...[node, peerPath('node_modules', '.bin', 'hive-gateway'), 'supergraph', supergraph],
          ...['-c', peerPath('hive.config.mjs'), '--host', '127.0.0.1', '--port', String(port)],
        ],
        env: {},
        planned: false,
      };
    case 'mercurius':
      return {
        command: [node, peerPath('mercurius.mjs'), around.services, String(port)],
        env: {},
        planned: false,
      };
    case 'ours':
      return doorstep('doorstep', port, around);
    case 'ours-apollo':
      return doorstep('apollo', port, around);
    case 'floor':
      return {
        // The same young generation as ours.
        command: [node, '--max-semi-space-size=64', script('floor.js'), around.fetches, String(port)],
        env: {},
        planned: true,
      };
  }
}

function doorstep(executor: 'doorstep' | 'apollo', port: number, around: Surroundings): Contestant {
  const { supergraph, jwksUrl, profile } = around;
  // With a profile, what bin/doorstep does: it has no way to hand flags on to Node.
  const program = profile
    ? [
        ...[node, '--max-semi-space-size=64', '--enable-source-maps'],
        ...['--cpu-prof', `--cpu-prof-dir=${profile}`, `--cpu-prof-name=${executor}.cpuprofile`],
        projectPath('dist', 'main.js'),
      ]
    : [projectPath('bin', 'doorstep')];
  return {
    command: [...program, 'gateway'],
    env: {
      ...production,
      GATEWAY_EXECUTOR: executor,
      SUPERGRAPH_PATH: supergraph,
      JWKS_URL: jwksUrl,
      HOST: '127.0.0.1',
      PORT: String(port),
    },
    planned: true,
  };
}
