import { type Broken, spoiled } from './broken.js';

export const inOperations: Broken[] = [
  {
    name: 'never completes',
    ...spoiled(() => ({
      outbound(message, { send }) {
        if (message.type !== 'complete') send(message);
      },
    })),
    fails: [
      'operation/query',
      'operation/query-no-more',
      'subscription/completes',
      'subscription/completed-id-again',
      'complete/of-completed',
      'operation/id-again',
    ],
  },
  {
    name: 'completes twice',
    ...spoiled(() => ({
      outbound(message, { send }) {
        send(message);
        if (message.type === 'complete') send(message);
      },
    })),
    fails: ['operation/query-no-more', 'subscription/completes'],
  },
  {
    name: 'does not answer mutations',
    ...spoiled(() => ({
      inbound(message, { pass }) {
        if (!JSON.stringify(message.payload ?? '').includes('mutation')) pass(message);
      },
    })),
    fails: ['operation/mutation'],
  },
  {
    name: 'tells an error where it should list errors',
    ...spoiled(() => ({
      outbound: ({ payload, ...message }, { send }) =>
        send({ ...message, payload: message.type === 'error' ? (payload as unknown[])[0] : payload }),
    })),
    fails: ['operation/shapes', 'operation/error-payload'],
  },
  {
    name: 'makes texts of data',
    ...spoiled(() => ({
      outbound: (message, { send }) =>
        send(message.type === 'next' ? { ...message, payload: { data: 'text' } } : message),
    })),
    fails: ['operation/shapes', 'subscription/shapes'],
  },
  {
    name: 'trims ids',
    ...spoiled(() => ({
      outbound: (message, { send }) =>
        send(typeof message.id === 'string' ? { ...message, id: message.id.trim() } : message),
    })),
    fails: ['operation/ids'],
  },
  {
    name: 'mixes up ids',
    ...spoiled(() => {
      let last: unknown;
      return {
        inbound(message, { pass }) {
          last = message.id ?? last;
          pass(message);
        },
        outbound: (message, { send }) => send('id' in message ? { ...message, id: last } : message),
      };
    }),
    fails: ['operation/interleaved', 'operation/independent', 'subscription/two'],
  },
  {
    name: 'runs the first operation of a document, whichever is named',
    ...spoiled(() => ({
      inbound(message, { pass }) {
        const payload = (message.payload ?? {}) as Record<string, unknown>;
        pass(
          payload['operationName'] ? { ...message, payload: { ...payload, operationName: 'A' } } : message,
        );
      },
    })),
    fails: ['operation/operation-name', 'operation/unknown-operation'],
  },
  {
    name: 'forgets variables',
    ...spoiled(() => ({
      inbound(message, { pass }) {
        const { variables: _forgotten, ...payload } = (message.payload ?? {}) as Record<string, unknown>;
        pass(message.type === 'subscribe' ? { ...message, payload } : message);
      },
    })),
    fails: ['operation/variables'],
  },
  {
    name: 'keeps silent about wrong variables',
    ...spoiled(() => ({
      inbound(message, { pass }) {
        if (!JSON.stringify(message).includes('"yes":"x"')) pass(message);
      },
    })),
    fails: ['operation/variable-error-answered'],
  },
  {
    name: 'tells refusals as results',
    ...spoiled(() => ({
      outbound({ id, type, payload }, { send }) {
        if (type !== 'error')
          return send({ ...(id !== undefined && { id }), type, ...(payload !== undefined && { payload }) });
        send({ id, type: 'next', payload: { errors: payload } });
        send({ id, type: 'complete' });
      },
    })),
    fails: [
      'operation/validation-error',
      'operation/validation-error-of-subscription',
      'operation/unknown-operation',
    ],
  },
  {
    name: 'completes after error',
    ...spoiled(() => ({
      outbound(message, { send }) {
        send(message);
        if (message.type === 'error') send({ id: message.id, type: 'complete' });
      },
    })),
    fails: ['operation/error-is-last'],
  },
  {
    name: 'lets no id be used twice',
    ...spoiled(() => {
      const used = new Set<unknown>();
      return {
        inbound(message, { pass, close }) {
          if (message.type !== 'subscribe') return pass(message);
          if (used.has(message.id)) return close(4409, `Subscriber for ${message.id} already exists`);
          used.add(message.id);
          pass(message);
        },
      };
    }),
    fails: [
      'operation/id-again',
      'operation/error-id-again',
      'subscription/completed-id-again',
      'complete/of-query-at-once',
      'complete/id-again',
      'complete/id-again-at-once',
      'complete/id-again-unread',
      'resume/same-id',
    ],
  },
  {
    name: 'knows ids of all sockets together',
    ...(() => {
      const owners = new Map<unknown, object>();
      return spoiled(() => {
        const me = {};
        return {
          inbound(message, { pass, close }) {
            if (message.type !== 'subscribe') return pass(message);
            if ((owners.get(message.id) ?? me) !== me) return close(4409, 'Subscriber already exists');
            owners.set(message.id, me);
            pass(message);
          },
        };
      });
    })(),
    fails: ['operation/ids-per-socket', 'subscription/ids-per-socket'],
  },
];
