/**
 * How the page asks: JavaScript for a browser, as text. The page's own fetcher never sends the headers tab
 * over a WebSocket; this one makes it the connection_init payload, so that `{"authorization": "Bearer ..."}`
 * there serves queries and subscriptions alike. A subscription has a socket of its own, so its headers are
 * always the present ones. The schema is asked for without headers: it needs no token, and one that has
 * expired since the last visit would leave the page without it.
 */
export const browserFetcher = `
function doorstepFetcher(params, options) {
  const headers = (params.operationName !== 'IntrospectionQuery' && options && options.headers) || {};
  const definitions = (options && options.documentAST && options.documentAST.definitions) || [];
  const live = definitions.some((definition) =>
    definition.kind === 'OperationDefinition' && definition.operation === 'subscription' &&
    (!params.operationName || (definition.name && definition.name.value === params.operationName)));
  if (!live) return doorstepPlans.ask(params, query);
  doorstepPlans.subscribed();
  return subscribe(params);

  async function query(body) {
    const response = await fetch(location.pathname, {
      method: 'POST',
      headers: { accept: 'application/json', ...headers, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return response.json();
  }

  function subscribe(payload) {
    return {
      subscribe(observer) {
        let over = false;
        const end = (tell) => {
          if (over) return;
          over = true;
          socket.close(1000, 'Normal Closure');
          tell();
        };
        const socket = new WebSocket(location.origin.replace(/^http/, 'ws') + location.pathname, 'graphql-transport-ws');
        const send = (message) => socket.send(JSON.stringify(message));
        socket.onopen = () => {
          const init = {};
          for (const name of Object.keys(headers)) init[name.toLowerCase()] = headers[name];
          send({ type: 'connection_init', payload: init });
        };
        socket.onmessage = ({ data }) => {
          const message = JSON.parse(data);
          if (message.type === 'connection_ack') send({ id: '1', type: 'subscribe', payload });
          if (message.type === 'ping') send({ type: 'pong' });
          if (message.type === 'next') observer.next(message.payload);
          if (message.type === 'error') {
            observer.next({ errors: message.payload });
            end(() => observer.complete());
          }
          if (message.type === 'complete') end(() => observer.complete());
        };
        socket.onclose = (event) =>
          end(() => observer.error({ message: 'The connection was closed: ' + event.code + ' ' + event.reason }));
        return { unsubscribe: () => end(() => undefined) };
      },
    };
  }
}
`;
