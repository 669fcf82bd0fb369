import { type Audit, demand, demandSame, type Level, part } from '../audit.js';
import type { Peer } from '../peer.js';
import type { Session } from '../session.js';

const clause = 'Invalid message';

/** Frames that are no message of the protocol, each with why; on a connection that is acknowledged. */
const texts: [name: string, why: string, text: string][] = [
  ['not-json', 'that is not JSON', '{"type":"ping"'],
  ['empty', 'that is empty', ''],
  ['null', 'that is null', 'null'],
  ['array', 'that is an array', '[{"type":"ping"}]'],
  ['string', 'that is a string', '"ping"'],
  ['number', 'that is a number', '7'],
  ['boolean', 'that is true', 'true'],
  ['two', 'that is two messages', '{"type":"ping"}{"type":"ping"}'],
];

const subscribe = (rest: object): object => ({ id: 'conformance', type: 'subscribe', ...rest });
const payload = (rest: object): object => subscribe({ payload: { query: '{ __typename }', ...rest } });

const messages: [name: string, why: string, message: object, level?: Level][] = [
  ['no-type', 'without a type', {}],
  ['null-type', 'whose type is null', { type: null }],
  ['number-type', 'whose type is a number', { type: 1 }],
  ['unknown-type', 'of an unknown type', { type: 'conformance' }],
  ['type-of-objects', 'whose type is a name that every object has', { type: 'toString' }],
  ['type-case', 'whose type is in capitals', { type: 'PING' }],
  [
    'legacy-start',
    'of the older protocol, start',
    { id: '1', type: 'start', payload: { query: '{ __typename }' } },
  ],
  ['legacy-stop', 'of the older protocol, stop', { id: '1', type: 'stop' }],
  ['legacy-terminate', 'of the older protocol, connection_terminate', { type: 'connection_terminate' }],
  ['ping-text', 'ping with a text as its payload', { type: 'ping', payload: 'a' }],
  ['ping-array', 'ping with an array as its payload', { type: 'ping', payload: [] }],
  ['pong-number', 'pong with a number as its payload', { type: 'pong', payload: 1 }],
  ['pong-array', 'pong with an array as its payload', { type: 'pong', payload: [1] }],
  ['subscribe-no-id', 'subscribe without an id', { type: 'subscribe', payload: { query: '{ __typename }' } }],
  ['subscribe-null-id', 'subscribe whose id is null', { ...payload({}), id: null }],
  ['subscribe-number-id', 'subscribe whose id is a number', { ...payload({}), id: 1 }],
  ['subscribe-object-id', 'subscribe whose id is an object', { ...payload({}), id: { id: '1' } }],
  ['subscribe-empty-id', 'subscribe whose id is empty', { ...payload({}), id: '' }, 'SHOULD'],
  ['subscribe-no-payload', 'subscribe without a payload', subscribe({})],
  ['subscribe-null-payload', 'subscribe whose payload is null', subscribe({ payload: null })],
  ['subscribe-text-payload', 'subscribe whose payload is a text', subscribe({ payload: '{ __typename }' })],
  [
    'subscribe-array-payload',
    'subscribe whose payload is an array',
    subscribe({ payload: [{ query: '{ __typename }' }] }),
  ],
  ['no-query', 'subscribe without a query', subscribe({ payload: {} })],
  ['null-query', 'subscribe whose query is null', payload({ query: null })],
  ['number-query', 'subscribe whose query is a number', payload({ query: 1 })],
  ['object-query', 'subscribe whose query is an object', payload({ query: { kind: 'Document' } })],
  ['operation-name-number', 'subscribe whose operationName is a number', payload({ operationName: 1 })],
  ['operation-name-object', 'subscribe whose operationName is an object', payload({ operationName: {} })],
  ['variables-text', 'subscribe whose variables are a text', payload({ variables: '{}' })],
  ['variables-array', 'subscribe whose variables are an array', payload({ variables: [] })],
  ['variables-number', 'subscribe whose variables are a number', payload({ variables: 1 })],
  ['extensions-text', 'subscribe whose extensions are a text', payload({ extensions: '{}' })],
  ['extensions-array', 'subscribe whose extensions are an array', payload({ extensions: [] })],
  ['complete-no-id', 'complete without an id', { type: 'complete' }],
  ['complete-null-id', 'complete whose id is null', { id: null, type: 'complete' }],
  ['complete-number-id', 'complete whose id is a number', { id: 1, type: 'complete' }],
  ['complete-empty-id', 'complete whose id is empty', { id: '', type: 'complete' }, 'SHOULD'],
];

const inits: [name: string, why: string, payload: unknown][] = [
  ['init-text', 'connection_init with a text as its payload', 'a'],
  ['init-number', 'connection_init with a number as its payload', 1],
  ['init-array', 'connection_init with an array as its payload', []],
  ['init-boolean', 'connection_init with true as its payload', true],
];

/** Only servers send them. */
const theirs: [name: string, message: object][] = [
  ['connection_ack', { type: 'connection_ack' }],
  ['next', { id: 'conformance', type: 'next', payload: { data: { a: 1 } } }],
  ['error', { id: 'conformance', type: 'error', payload: [{ message: 'conformance' }] }],
];

async function refuses(peer: Peer, send: () => void, codes = [4400]): Promise<void> {
  const before = peer.messages.length;
  send();
  await peer.closes(...codes);
  demandSame(
    peer.messages.slice(before).map(({ type }) => type),
    [],
    'after it',
  );
}

const onConnection = (send: (peer: Peer) => void, codes?: number[]) => async (session: Session) => {
  const peer = await session.connect();
  await refuses(peer, () => send(peer), codes);
};

const onSocket = (send: (peer: Peer) => void, codes?: number[]) => async (session: Session) => {
  const peer = await session.open();
  await refuses(peer, () => send(peer), codes);
};

/** 1003 is RFC 6455's code for data of a type that an endpoint does not take. */
const binaryCodes = [4400, 1003];

export const malformed: Audit[] = part('malformed', [
  ...texts.map(
    ([name, why, text]) =>
      [
        name,
        'MUST',
        clause,
        `closes with 4400 for a text ${why}`,
        onConnection((peer) => peer.write(text)),
      ] as const,
  ),
  ...messages.map(
    ([name, why, message, level = 'MUST']) =>
      [
        name,
        level,
        clause,
        `closes with 4400 for a message ${why}`,
        onConnection((peer) => peer.send(message)),
      ] as const,
  ),
  ...inits.map(
    ([name, why, given]) =>
      [
        name,
        'MUST',
        clause,
        `closes with 4400 for a message ${why}`,
        onSocket((peer) => peer.send({ type: 'connection_init', payload: given })),
      ] as const,
  ),
  [
    'before-init',
    'MUST',
    clause,
    'closes with 4400 for a text that is not JSON, before connection_init',
    onSocket((peer) => peer.write('?')),
  ],
  [
    'unknown-before-init',
    'MUST',
    clause,
    'closes with 4400 for a message of an unknown type, before connection_init',
    onSocket((peer) => peer.send({ type: 'conformance' })),
  ],
  [
    'binary',
    'MUST',
    clause,
    'closes with 4400 (or 1003) for a binary frame that holds no message',
    onConnection((peer) => peer.write(Uint8Array.of(0, 1, 255), { binary: true }), binaryCodes),
  ],
  [
    'binary-message',
    'MUST',
    clause,
    'takes a message in a binary frame as it takes one in text, or closes with 4400 (or 1003)',
    async (session) => {
      const peer = await session.connect();
      peer.write(Buffer.from('{"type":"ping"}'), { binary: true });
      await peer.until(
        'a message in a binary frame is answered or refused',
        () => peer.pongs[0] ?? peer.closing,
      );
      if (peer.closing) await peer.closes(...binaryCodes);
    },
  ],
  [
    'not-utf8',
    'MUST',
    'RFC 6455, 8.1',
    'closes with 1007 for a text frame that is not UTF-8',
    onConnection((peer) => peer.write(Uint8Array.of(0x22, 0xff, 0x22), { binary: false }), [1007]),
  ],
  ...theirs.map(
    ([type, message]) =>
      [
        `from-client-${type.replace('connection_', '')}`,
        'SHOULD',
        clause,
        `closes with 4400 for ${type} from a client`,
        onConnection((peer) => peer.send(message)),
      ] as const,
  ),
  [
    'from-client-no-effect',
    'MUST',
    'ConnectionAck',
    'is not opened by a connection_ack of the client',
    async (session) => {
      const peer = await session.open();
      peer.send({ type: 'connection_ack' });
      const { messages } = peer.subscribe(session.target.query);
      await peer.until('the server closes the socket', () => peer.closing);
      demand(messages.length === 0, `nothing is served; got ${JSON.stringify(messages)}`);
    },
  ],
  [
    'nothing-after',
    'MUST',
    clause,
    'answers nothing that follows an invalid message',
    async (session) => {
      const peer = await session.connect();
      await refuses(peer, () => {
        peer.write('?');
        peer.send({ type: 'ping' });
        peer.subscribe(session.target.query);
        peer.init();
      });
      demand(peer.pongs.length === 0, `no pong comes; got ${peer.pongs.length}`);
    },
  ],
  [
    'others-live',
    'MUST',
    clause,
    "leaves other sockets alone when one is closed for its client's fault",
    async (session) => {
      const [faulty, other] = [await session.connect(), await session.connect()];
      await refuses(faulty, () => faulty.write('?'));
      await other.settle();
      const next = await session.connect();
      await next.settle();
    },
  ],
]);
