import type { SigningKeys } from '../platform/auth/tokens.js';
import type { ServiceName } from '../platform/config.js';
import { type RunningSubgraph, type SubgraphOptions, startSubgraph } from '../platform/subgraph/server.js';
import { deliverySubgraph } from '../subgraphs/delivery/index.js';
import { eventSubgraph } from '../subgraphs/event/index.js';
import { orderSubgraph } from '../subgraphs/order/index.js';
import { paymentSubgraph } from '../subgraphs/payment/index.js';
import { userSubgraph } from '../subgraphs/user/index.js';

/** Starts the subgraph of this name. `keys` are those of tokens, which only `user` signs. */
export function startNamed(
  name: ServiceName,
  options: SubgraphOptions & { keys: SigningKeys | undefined },
): Promise<RunningSubgraph> {
  switch (name) {
    case 'user':
      if (!options.keys) throw new Error('the user service has no key to sign with');
      return startSubgraph(userSubgraph(options.keys), options);
    case 'order':
      return startSubgraph(orderSubgraph, options);
    case 'payment':
      return startSubgraph(paymentSubgraph, options);
    case 'delivery':
      return startSubgraph(deliverySubgraph, options);
    case 'event':
      return startSubgraph(eventSubgraph, options);
  }
}
