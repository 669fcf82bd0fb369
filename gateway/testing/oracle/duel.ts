import type { Gateway, GatewayOptions } from '../../index.js';
import { type FaultKind, requestId } from '../bazaar/requests.js';
import { type Bazaar, startBazaar } from '../bazaar/server.js';
import { type Answer, post, startTestGateway } from '../gateway.js';

/** A query as it is put to both gateways, and what is to go wrong meanwhile. */
export interface Question {
  query: string;
  variables?: Record<string, unknown> | undefined;
  faults?: { kind: FaultKind; seed: string };
}

/** Both answers; `ours` is that of the executor under test, `oracle` that of ApolloGateway. */
export interface Answers {
  ours: Answer;
  oracle: Answer;
}

export interface Duel {
  bazaar: Bazaar;
  ask(question: Question): Promise<Answers>;
  askOracle(question: Question): Promise<Answer>;
  stop(): Promise<void>;
}

/** The bazaar behind two gateways that differ in their executor alone. */
export async function startDuel(options: Partial<GatewayOptions> = {}): Promise<Duel> {
  const bazaar = await startBazaar();
  const gatewayOf = (executor: 'doorstep' | 'apollo'): Promise<Gateway> =>
    startTestGateway({
      supergraph: bazaar.supergraph,
      subgraphUrls: bazaar.urls,
      executor,
      dedup: false,
      ...options,
    });
  const [ours, oracle] = await Promise.all([gatewayOf('doorstep'), gatewayOf('apollo')]);
  let runs = 0;
  const ask = (gateway: Gateway, { query, variables, faults }: Question) =>
    post(gateway, query, {
      ...(variables && { variables }),
      headers: { 'x-request-id': requestId(faults?.kind ?? 'none', faults?.seed ?? '', `${runs++}`) },
    });
  return {
    bazaar,
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
