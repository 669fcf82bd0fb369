/** A bare graphql-ws server, as its documentation shows one: one field, and a subscription that never sends. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GraphQLID, GraphQLNonNull, GraphQLObjectType, GraphQLSchema, GraphQLString } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';
import { obey } from '../talk.js';

const named = (name: string, fields: ConstructorParameters<typeof GraphQLObjectType>[0]['fields']) =>
  new GraphQLObjectType({ name, fields });
const text = { type: GraphQLString };
const courier = named('Courier', { id: text, name: text });
const delivery = named('Delivery', {
  ...{ id: text, status: text, address: text, createdAt: text, updatedAt: text },
  courier: { type: courier },
});
const schema = new GraphQLSchema({
  query: named('Query', { id: text }),
  subscription: named('Subscription', {
    deliveryStatusChanged: {
      type: named('DeliveryStatusChange', { delivery: { type: delivery } }),
      args: { orderId: { type: new GraphQLNonNull(GraphQLID) } },
      async *subscribe() {
        yield* [];
        await new Promise(() => undefined);
      },
    },
  }),
});

const server = createServer();
useServer({ schema }, new WebSocketServer({ server, path: '/graphql' }));
obey(async () => {
  await once(server.listen({ port: 0, host: '127.0.0.1', backlog: 10_000 }), 'listening');
  return (server.address() as AddressInfo).port;
});
