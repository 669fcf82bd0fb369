import type { Message } from '../../peer.js';
import { allOf, type Broken, keysOf, patient, spoiled } from './broken.js';

export const inConnection: Broken[] = [
  {
    name: 'acknowledges twice',
    ...spoiled(() => ({
      outbound(message, { send }) {
        send(message);
        if (message.type === 'connection_ack') send(message);
      },
    })),
    fails: ['connection/acknowledged-once'],
  },
  {
    name: 'acknowledges nothing',
    ...spoiled(() => ({
      outbound(message, { send }) {
        if (message.type !== 'connection_ack') send(message);
      },
    })),
    fails: ['connection/acknowledged'],
  },
  {
    name: 'acknowledges before it is asked',
    tamper: (socket) => socket.send('{"type":"connection_ack"}'),
    fails: ['connection/not-before-init'],
  },
  {
    name: 'acknowledges late, and works before',
    ...spoiled(() => {
      const held: Message[] = [];
      return patient({
        outbound(message, { send }) {
          if (message.type === 'connection_ack') held.push(message);
          else send(message);
          if (message.type === 'complete') for (const ack of held.splice(0)) send(ack);
        },
      });
    }),
    fails: ['connection/not-before-ack'],
  },
  {
    name: 'acknowledges with a text',
    ...spoiled(() => ({
      outbound: (message, { send }) =>
        send(message.type === 'connection_ack' ? { ...message, payload: 'welcome' } : message),
    })),
    fails: ['connection/ack-shape'],
  },
  {
    name: 'takes no connection_init but with the payload that it knows',
    ...spoiled(() => ({
      inbound(message, { pass, close }) {
        const fits = keysOf(message.payload).join() === 'authorization';
        if (message.type !== 'connection_init' || fits) pass(message);
        else close(4400, 'Invalid message received');
      },
    })),
    fails: ['connection/without-payload', 'connection/null-payload', 'connection/any-payload'],
  },
  {
    name: 'refuses nobody',
    protocol: { onConnect: () => true },
    fails: ['connection/refused', 'connection/refused-4403'],
  },
  {
    name: 'lets a client initialise again and again',
    ...spoiled(() => {
      let initialised = false;
      return {
        inbound(message, { pass }) {
          if (message.type !== 'connection_init' || !initialised) pass(message);
          initialised ||= message.type === 'connection_init';
        },
      };
    }),
    fails: allOf('connection/second-init'),
  },
  {
    name: 'serves clients that have not initialised',
    ...spoiled(() => {
      let initialised = false;
      return patient({
        inbound(message, { pass }) {
          if (message.type === 'subscribe' && !initialised)
            pass({ type: 'connection_init', payload: { authorization: 'right' } });
          initialised ||= message.type === 'subscribe' || message.type === 'connection_init';
          pass(message);
        },
      });
    }),
    fails: ['connection/too-early', 'connection/too-early-subscription'],
  },
  {
    name: 'waits for connection_init for ever',
    protocol: { connectionInitWaitTimeout: 0 },
    fails: ['connection/timeout', 'connection/timeout-despite-pings'],
  },
  {
    name: 'gives up clients that have initialised, too',
    tamper(socket) {
      const timer = setTimeout(() => socket.close(4408, 'Connection initialisation timeout'), 300);
      socket.on('close', () => clearTimeout(timer));
    },
    fails: ['connection/timeout-spares'],
  },
  {
    name: 'gives no reasons',
    ...spoiled(() => ({ closing: (code, { close }) => close(code) })),
    fails: ['connection/reasons', 'subscription/duplicate-reason'],
  },
];
