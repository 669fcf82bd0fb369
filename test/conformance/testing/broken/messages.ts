import { spoil } from '../tamper.js';
import { allOf, type Broken, keysOf, patient, spoiled } from './broken.js';

const known = ['type', 'id', 'payload'];
const knownInPayload = ['query', 'variables', 'operationName', 'extensions'];

export const inMessages: Broken[] = [
  {
    name: 'passes over what it does not understand',
    ...spoiled(() => ({
      closing(code, { close, reason }) {
        if (code !== 4400) close(code, reason);
      },
    })),
    fails: [
      ...allOf(
        'malformed/',
        'malformed/binary-message',
        'malformed/not-utf8',
        'malformed/from-client-ack',
        'malformed/from-client-next',
        'malformed/from-client-error',
        'malformed/from-client-no-effect',
      ),
    ],
  },
  {
    name: 'passes over binary frames',
    ...spoiled(() => ({
      inbound(message, { pass }, binary) {
        if (!binary) pass(message);
      },
    })),
    fails: ['malformed/binary', 'malformed/binary-message'],
  },
  { name: 'takes any bytes for text', sockets: { skipUTF8Validation: true }, fails: ['malformed/not-utf8'] },
  {
    name: 'takes no message in several frames',
    sockets: { maxFragments: 1 },
    fails: ['operation/fragments'],
  },
  {
    name: "takes a client's connection_ack for its own",
    ...spoiled(() =>
      patient({
        inbound: (message, { pass }) =>
          pass(message.type === 'connection_ack' ? { ...message, type: 'connection_init' } : message),
      }),
    ),
    fails: ['malformed/from-client-no-effect'],
  },
  {
    name: 'closes all sockets for one',
    tamper: (socket, all) =>
      spoil(socket, {
        closing(code, { close, reason }) {
          close(code, reason);
          if (code === 4400) for (const other of all) other.terminate();
        },
      }),
    fails: ['malformed/others-live'],
  },
  {
    name: 'takes no field that it does not know',
    ...spoiled(() => ({
      inbound(message, { pass, close }) {
        const inPayload = message.type === 'subscribe' ? keysOf(message.payload) : [];
        const fits =
          Object.keys(message).every((key) => known.includes(key)) &&
          inPayload.every((key) => knownInPayload.includes(key));
        if (fits) pass(message);
        else close(4400, 'Invalid message received');
      },
    })),
    fails: ['operation/extra-fields', 'operation/extra-in-payload'],
  },
  {
    name: 'takes no null and no extensions',
    ...spoiled(() => ({
      inbound(message, { pass, close }) {
        const payload = (message.payload ?? {}) as Record<string, unknown>;
        const fits = !Object.values(payload).includes(null) && payload['extensions'] === undefined;
        if (message.type !== 'subscribe' || fits) pass(message);
        else close(4400, 'Invalid message received');
      },
    })),
    fails: ['operation/nulls', 'operation/extensions'],
  },
  {
    name: 'sends binary frames',
    ...spoiled(() => ({ outbound: (message, { sendBinary }) => sendBinary(message) })),
    fails: ['operation/text-frames'],
  },
  {
    name: 'cuts connections where it should close sockets',
    ...spoiled(() => ({ closing: (_code, { cut }) => cut() })),
    fails: allOf('closing/', 'closing/without-a-word'),
  },
  {
    name: 'closes with 4400 for everything',
    ...spoiled(() => ({ closing: (_code, { close, reason }) => close(4400, reason) })),
    fails: ['closing/first-reason'],
  },
  {
    name: 'falls with a client that is cut off',
    tamper: (socket, all) =>
      void socket.on('close', (code) => {
        if (code === 1006) for (const other of all) other.terminate();
      }),
    fails: ['closing/without-a-word'],
  },
];
