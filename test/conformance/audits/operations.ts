import { type Audit, demand, demandSame, part, Skip } from '../audit.js';
import { faultOf } from '../messages.js';

const single = 'Single result operation';
const next = 'Next';
const error = 'Error';
const subscribe = 'Subscribe';
const communication = 'Communication';

/** A document that fits no schema. */
const invalid = { query: '{ conformanceHasNoSuchField }' };

/** Documents that fit every schema. */
const named = 'query A { a: __typename } query B { b: __typename }';
const conditional =
  'query ($yes: Boolean!) { a: __typename @include(if: $yes) b: __typename @skip(if: $yes) }';

/** Ids that a server may trip over; they are texts like any other. */
const odd = [
  '0',
  ' ',
  'a b',
  '__proto__',
  'constructor',
  '{"id":"1"}',
  'ü\u2603\u{1f6b2}',
  '\u0000',
  '-'.repeat(200),
];

const keysOf = (data: unknown): string[] => Object.keys(data as object);

export const operations: Audit[] = part('operation', [
  [
    'query',
    'MUST',
    single,
    'answers a query with one next and then complete',
    async (session) => {
      await (await session.connect()).subscribe(session.target.query).result();
    },
  ],
  [
    'query-no-more',
    'MUST',
    single,
    'sends nothing of a query after complete',
    async (session) => {
      const peer = await session.connect();
      const running = peer.subscribe(session.target.query);
      await running.result();
      await peer.settle();
      demandSame(running.types, ['next', 'complete'], 'of one query');
    },
  ],
  [
    'mutation',
    'MUST',
    single,
    'answers a mutation with one next and then complete',
    async (session) => {
      const peer = await session.connect();
      const running = peer.subscribe(session.target.mutation);
      if ((await running.ended()).type === 'error')
        throw new Skip('the server refuses the mutation that is given');
      await running.result();
    },
  ],
  [
    'shapes',
    'MUST',
    'Next, Error, Complete',
    'sends messages of the shapes of the document, and no others',
    async (session) => {
      const peer = await session.connect();
      await peer.subscribe(session.target.query).ended();
      await peer.subscribe(invalid).ended();
      await peer.subscribe({ query: conditional, variables: { yes: 'x' } }).ended();
      const fault = peer.messages.map(faultOf).find((found) => found !== undefined);
      demand(!fault, `${fault}`);
    },
  ],
  [
    'text-frames',
    'MUST',
    communication,
    'sends its messages as text',
    async (session) => {
      const peer = await session.connect();
      await peer.settle();
      demand(!peer.binary, 'no message comes in a binary frame; one did');
    },
  ],
  [
    'ids',
    'MUST',
    communication,
    'gives answers the ids of their operations, whatever text they are',
    async (session) => {
      const peer = await session.connect();
      await Promise.all(odd.map((id) => peer.subscribe(session.target.query, id).result()));
    },
  ],
  [
    'operation-name',
    'MUST',
    subscribe,
    'runs the operation that operationName names',
    async (session) => {
      const peer = await session.connect();
      const data = await peer.subscribe({ query: named, operationName: 'B' }).result();
      demandSame(keysOf(data), ['b'], 'the fields of the operation B');
    },
  ],
  [
    'variables',
    'MUST',
    subscribe,
    'runs with the variables that are given',
    async (session) => {
      const peer = await session.connect();
      const ask = (yes: boolean) => peer.subscribe({ query: conditional, variables: { yes } }).result();
      demandSame(keysOf(await ask(true)), ['a'], 'the fields with true');
      demandSame(keysOf(await ask(false)), ['b'], 'the fields with false');
    },
  ],
  [
    'nulls',
    'MUST',
    subscribe,
    'takes null for operationName, variables and extensions',
    async (session) => {
      const peer = await session.connect();
      const { query } = session.target.query;
      const { variables = null } = session.target.query;
      await peer.subscribe({ query, operationName: null, variables, extensions: null }).result();
    },
  ],
  [
    'extensions',
    'MUST',
    subscribe,
    'takes extensions that it does not know',
    async (session) => {
      const peer = await session.connect();
      await peer.subscribe({ ...session.target.query, extensions: { conformance: { list: [1] } } }).result();
    },
  ],
  [
    'extra-fields',
    'SHOULD',
    communication,
    'takes no offence at further fields of a message',
    async (session) => {
      const peer = await session.open();
      const extra = { conformance: { a: [1] } };
      const { init } = session.target;
      peer.send({ type: 'connection_init', ...(init && { payload: init }), ...extra });
      await peer.acknowledged();
      peer.send({ type: 'ping', ...extra });
      peer.send({ type: 'pong', ...extra });
      peer.send({ id: 'conformance', type: 'complete', ...extra });
      peer.send({ id: 'a', type: 'subscribe', payload: session.target.query, ...extra });
      await peer.until('the query is answered', () => peer.messages.find(({ type }) => type === 'complete'));
    },
  ],
  [
    'extra-in-payload',
    'SHOULD',
    subscribe,
    'takes no offence at further fields of the payload of subscribe',
    async (session) => {
      const peer = await session.connect();
      const payload = { ...session.target.query, conformance: { a: [1] } };
      await peer.subscribe(payload).result();
    },
  ],
  [
    'interleaved',
    'MUST',
    communication,
    'runs many operations at once, and answers each under its own id',
    async (session) => {
      const peer = await session.connect();
      const started = Array.from({ length: 30 }, (_, n) =>
        peer.subscribe({ query: conditional, variables: { yes: n % 2 === 0 } }),
      );
      const results = await Promise.all(started.map((running) => running.result()));
      demandSame(
        results.map((data) => keysOf(data).join()),
        results.map((_, n) => (n % 2 === 0 ? 'a' : 'b')),
        'the answers',
      );
    },
  ],
  [
    'independent',
    'MUST',
    communication,
    'answers operations whose neighbours fail',
    async (session) => {
      const peer = await session.connect();
      const before = peer.subscribe(session.target.query);
      const failing = peer.subscribe(invalid);
      const after = peer.subscribe(session.target.query);
      await Promise.all([before.result(), failing.ended(), after.result()]);
    },
  ],
  [
    'ids-per-socket',
    'MUST',
    communication,
    'keeps the ids of one socket apart from those of another',
    async (session) => {
      const peers = await Promise.all([session.connect(), session.connect()]);
      await Promise.all(peers.map((peer) => peer.subscribe(session.target.query, 'same').result()));
    },
  ],
  [
    'id-again',
    'MUST',
    subscribe,
    'lets an id be used again once it has completed it',
    async (session) => {
      const peer = await session.connect();
      for (let n = 0; n < 3; n++) await peer.subscribe(session.target.query, 'again').result();
    },
  ],
  [
    'validation-error',
    'MUST',
    error,
    'refuses a document that does not fit the schema with an error message',
    async (session) => {
      await (await session.connect()).subscribe(invalid).refused();
    },
  ],
  [
    'validation-error-of-subscription',
    'MUST',
    error,
    'refuses a subscription that does not fit the schema with an error message',
    async (session) => {
      const query = 'subscription { conformanceHasNoSuchField }';
      await (await session.connect()).subscribe({ query }).refused();
    },
  ],
  [
    'syntax-error',
    'SHOULD',
    error,
    'refuses a document that cannot be parsed with an error message',
    async (session) => {
      await (await session.connect()).subscribe({ query: '{' }).refused();
    },
  ],
  [
    'unknown-operation',
    'MUST',
    error,
    'refuses an operationName that is not in the document with an error message',
    async (session) => {
      await (await session.connect()).subscribe({ query: named, operationName: 'C' }).refused();
    },
  ],
  [
    'variable-error',
    'SHOULD',
    error,
    'refuses variables that do not fit with an error message',
    async (session) => {
      const peer = await session.connect();
      await peer.subscribe({ query: conditional, variables: { yes: 'x' } }).refused();
      await peer.subscribe({ query: conditional }).refused();
    },
  ],
  [
    'variable-error-answered',
    'MUST',
    next,
    'answers variables that do not fit with errors, by next or error, and ends',
    async (session) => {
      const peer = await session.connect();
      const running = peer.subscribe({ query: conditional, variables: { yes: 'x' } });
      await running.ended();
      const told = running.messages.some(({ type, payload }) =>
        type === 'error' ? true : 'errors' in ((payload ?? {}) as object),
      );
      demand(told, `an error is told; got ${JSON.stringify(running.messages)}`);
    },
  ],
  [
    'error-payload',
    'MUST',
    error,
    'sends errors as a list, each with a message',
    async (session) => {
      const peer = await session.connect();
      await peer.subscribe(invalid).refused();
      const fault = faultOf(peer.messages.at(-1));
      demand(!fault, `${fault}`);
    },
  ],
  [
    'error-is-last',
    'MUST',
    error,
    'sends nothing of an operation after error, complete neither',
    async (session) => {
      const peer = await session.connect();
      const running = peer.subscribe(invalid);
      await running.refused();
      await peer.settle();
      demandSame(running.types, ['error'], 'of an operation that is refused');
    },
  ],
  [
    'error-id-again',
    'MUST',
    subscribe,
    'lets an id be used again once it has refused its operation',
    async (session) => {
      const peer = await session.connect();
      await peer.subscribe(invalid, 'again').refused();
      await peer.subscribe(session.target.query, 'again').result();
    },
  ],
  [
    'fragments',
    'MUST',
    'RFC 6455, 5.4',
    'reads a message that comes in several frames, with a ping frame in between',
    async (session) => {
      const peer = await session.connect();
      const text = Buffer.from(JSON.stringify({ type: 'ping', payload: { text: 'ü\u{1f6b2}'.repeat(5) } }));
      // Every frame but the first begins within a character.
      const cuts = [0, text.indexOf('ü') + 1, text.indexOf('\u{1f6b2}') + 2, text.length];
      for (let n = 1; n < cuts.length; n++) {
        if (n === 2) await peer.pingFrame('between');
        peer.write(text.subarray(cuts[n - 1], cuts[n]), { binary: false, fin: n === cuts.length - 1 });
      }
      await peer.until('a pong answers a ping in several frames', () => peer.pongs[0]);
    },
  ],
]);
