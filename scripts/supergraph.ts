/**
 * Composes subgraphs/<name>/schema.graphql into gateway/supergraph.graphql, which is committed: it is never
 * composed at run time. `--check` writes nothing and exits 1 where the committed one is stale. Composition's
 * errors and hints are printed one a line. The same schemas give the same bytes.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { composeServices } from '@apollo/composition';
import { parse } from 'graphql';

/**
 * The port at which each subgraph's address points when nothing else is said: on one machine, one process a
 * subgraph. Everywhere else SUBGRAPH_URLS says where they are.
 */
const ports: Record<string, number> = { user: 4001, order: 4002, payment: 4003, delivery: 4004, event: 4005 };

const root = join(import.meta.dirname, '..');
const output = join(root, 'gateway/supergraph.graphql');

const oneLine = (text: string) => text.replaceAll(/\s+/g, ' ').trim();

/** The SDL of the supergraph, or the lines that say why there is none. */
function compose(): { sdl: string; hints: string[] } | { errors: string[] } {
  const found = readdirSync(join(root, 'subgraphs')).filter((name) =>
    existsSync(join(root, 'subgraphs', name, 'schema.graphql')),
  );
  const stranger = found.find((name) => ports[name] === undefined);
  if (stranger !== undefined) return { errors: [`${stranger}: give it a port in scripts/supergraph.ts`] };
  const services = Object.entries(ports)
    .filter(([name]) => found.includes(name))
    .map(([name, port]) => ({
      name,
      url: `http://127.0.0.1:${port}/graphql`,
      typeDefs: parse(readFileSync(join(root, 'subgraphs', name, 'schema.graphql'), 'utf8')),
    }));
  const { errors, supergraphSdl, hints } = composeServices(services);
  if (errors)
    return { errors: errors.map(({ message, extensions }) => oneLine(`${extensions['code']}: ${message}`)) };
  return { sdl: `${supergraphSdl.trimEnd()}\n`, hints: hints.map((hint) => oneLine(hint.toString())) };
}

const composed = compose();
if ('errors' in composed) {
  for (const error of composed.errors) console.error(`error ${error}`);
  process.exit(1);
}
for (const hint of composed.hints) console.warn(`hint ${hint}`);

const committed = existsSync(output) ? readFileSync(output, 'utf8') : undefined;
if (process.argv.includes('--check')) {
  if (committed !== composed.sdl) {
    console.error('error gateway/supergraph.graphql is stale: run `npm run supergraph` and commit it');
    process.exit(1);
  }
  console.log('gateway/supergraph.graphql is fresh');
} else {
  if (committed !== composed.sdl) writeFileSync(output, composed.sdl);
  console.log(`gateway/supergraph.graphql ${committed === composed.sdl ? 'was fresh' : 'written'}`);
}
