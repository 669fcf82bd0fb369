import type { Gateway, GatewayOptions } from '../../index.js';
import { type Circumstances, requestId } from '../bazaar/requests.js';
import { type Bazaar, startBazaar } from '../bazaar/server.js';
import { type Answer, post, startTestGateway } from '../gateway.js';

/** A query as it is put to both gateways, and what it is to meet. */
export interface Question extends Circumstances {
  query: string;
  variables?: Record<string, unknown> | undefined;
  /** Whether the oracle is asked of all what it could be asked of some; see `unveiled`. */
  asksAll?: boolean;
  /** Whether the oracle is asked for the types of all objects that may be of several; see `unveiled`. */
  asksTypes?: boolean;
}

/** Both answers; `ours` is that of the executor under test, `oracle` that of ApolloGateway. */
export interface Answers {
  ours: Answer;
  oracle: Answer;
}

export interface Duel {
  bazaar: Bazaar;
  /** Puts a question to both. */
  ask(question: Question): Promise<Answers>;
  askOurs(question: Question): Promise<Answer>;
  askOracle(question: Question): Promise<Answer>;
  stop(): Promise<void>;
}

/**
 * The supergraph for Apollo, with a default written out: where a fetch is for `shipping` and for `postage`, Apollo asks
 * for `weight` and `weight(unit: GRAM)` in one selection, which no subgraph takes.
 */
const withDefaultOfWeight = (supergraph: string): string =>
  supergraph.replace('requires: "weight")', 'requires: "weight(unit: GRAM)")');

/** The bazaar behind two gateways that differ in their executor. */
export async function startDuel(options: Partial<GatewayOptions> = {}): Promise<Duel> {
  const bazaar = await startBazaar();
  const gatewayOf = (executor: 'doorstep' | 'apollo'): Promise<Gateway> =>
    startTestGateway({
      supergraph: executor === 'apollo' ? withDefaultOfWeight(bazaar.supergraph) : bazaar.supergraph,
      subgraphUrls: bazaar.urls,
      executor,
      dedup: false,
      ...options,
    });
  const [ours, oracle] = await Promise.all([gatewayOf('doorstep'), gatewayOf('apollo')]);
  let runs = 0;
  const ask = (gateway: Gateway, { query, variables, asksAll: _, ...circumstances }: Question) =>
    post(gateway, query, {
      ...(variables && { variables }),
      headers: { 'x-request-id': requestId(circumstances, `${runs++}`) },
    });
  return {
    bazaar,
    askOurs: (question) => ask(ours, question),
    askOracle: (question) => ask(oracle, question),
    async ask(question) {
      const [first, second] = await Promise.all([ask(ours, question), ask(oracle, question)]);
      return { ours: first, oracle: second };
    },
    async stop() {
      await Promise.all([ours.stop(), oracle.stop()]);
      await bazaar.stop();
    },
  };
}
