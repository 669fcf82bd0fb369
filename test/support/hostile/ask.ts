import { readFileSync } from 'node:fs';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { type GraphQLSchema, parse } from 'graphql';
import { loadSupergraph } from '../../../gateway/supergraph.js';
import { createGenerator } from '../../../gateway/testing/oracle/generate.js';
import type { Samples } from '../../../gateway/testing/oracle/inputs.js';
import { createRandom } from '../../../gateway/testing/random.js';
import { type ServiceName, serviceNames } from '../../../platform/config.js';
import { hostileBody, hostileDocument } from './documents.js';
import { damaged, honestSamples, hostileSamples, odd } from './values.js';

/** The gateway, or a subgraph past it. */
export type Target = 'gateway' | ServiceName;
export const targets: readonly Target[] = ['gateway', ...serviceNames];

export interface HostileRequest {
  target: Target;
  /** Of the tokens that there are, which one goes along. */
  token: number;
  /** By an operation on a WebSocket, of which this is the payload; else by a POST. */
  bySocket: boolean;
  body: Buffer;
  /** What it was meant to be. */
  kind: 'valid' | 'hostile values' | 'damaged' | 'hostile document' | 'hostile body';
}

const schemaOf = (target: Target): GraphQLSchema =>
  target === 'gateway'
    ? loadSupergraph(readFileSync('gateway/supergraph.graphql', 'utf8')).clientSchema
    : buildSubgraphSchema(parse(readFileSync(`subgraphs/${target}/schema.graphql`, 'utf8')));

/** Makes requests out of seeds; `ids` are those of things that there are. */
export function createHostility(ids: Readonly<Record<string, string>>): (seed: string) => HostileRequest {
  const known = Object.values(ids);
  const types = ['User', 'Order', 'Payment', 'Account', 'Delivery', 'Courier', 'Event', 'Product'];
  const representations = types.flatMap((__typename) => known.map((id) => ({ __typename, id })));
  const strange = [
    null,
    true,
    1,
    '',
    [],
    {},
    ...types.map((__typename) => ({ __typename })),
    { __typename: '__proto__', id: 1 },
  ];
  const forAny = (samples: Samples, all: readonly unknown[]): Samples => ({ ...samples, _Any: all });
  const avoided = new Set<string>();
  const generators = new Map(
    targets.map((target) => {
      const schema = schemaOf(target);
      return [
        target,
        {
          honest: createGenerator(schema, {
            avoided,
            samples: forAny(honestSamples(known), representations),
          }),
          hostile: createGenerator(schema, {
            avoided,
            samples: forAny(hostileSamples(known), [...representations.slice(0, 9), ...strange]),
          }),
        },
      ];
    }),
  );

  return (seed) => {
    const random = createRandom(seed);
    // Half of them to the one door that is open.
    const target = random.chance(0.5) ? 'gateway' : random.pick(targets);
    const { honest, hostile } = generators.get(target) as NonNullable<ReturnType<typeof generators.get>>;
    const token = random.below(3);
    const bodyOf = (request: object) => Buffer.from(JSON.stringify(request));
    const way = { target, token, bySocket: random.chance(0.25) };
    const dice = random.next();
    if (dice < 0.25) return { ...way, kind: 'valid', body: bodyOf(honest(seed)) };
    if (dice < 0.55) {
      const request = hostile(seed);
      const variables: Record<string, unknown> = { ...request.variables };
      for (const name of Object.keys(variables)) if (random.chance(0.3)) variables[name] = random.pick(odd);
      return { ...way, kind: 'hostile values', body: bodyOf({ ...request, variables }) };
    }
    if (dice < 0.75) {
      const { query, variables } = honest(seed);
      return { ...way, kind: 'damaged', body: bodyOf({ query: damaged(query, random), variables }) };
    }
    const query = hostileDocument(random);
    if (dice < 0.93)
      return { ...way, kind: 'hostile document', body: bodyOf({ query, variables: random.pick(odd) }) };
    return { ...way, kind: 'hostile body', body: hostileBody(random, JSON.stringify(honest(seed))) };
  };
}
