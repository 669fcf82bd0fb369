import { allOf, type Broken, spoiled } from './broken.js';

export const inHeartbeat: Broken[] = [
  {
    name: 'answers no ping',
    ...spoiled(() => ({
      outbound(message, { send }) {
        if (message.type !== 'pong') send(message);
      },
    })),
    fails: allOf('heartbeat/', 'heartbeat/unsolicited-before-init', 'heartbeat/frame'),
  },
  {
    name: 'answers one ping of several',
    ...spoiled(() => {
      let answered = false;
      return {
        outbound(message, { send }) {
          if (message.type !== 'pong' || !answered) send(message);
          answered ||= message.type === 'pong';
        },
      };
    }),
    fails: ['heartbeat/each'],
  },
  {
    name: 'gives its pongs a text',
    ...spoiled(() => ({
      outbound: (message, { send }) =>
        send(message.type === 'pong' ? { ...message, payload: 'pong' } : message),
    })),
    fails: ['heartbeat/pong-shape'],
  },
  {
    name: 'takes a pong for a mistake',
    ...spoiled(() => ({
      inbound(message, { pass, close }) {
        if (message.type === 'pong') close(4400, 'Invalid message received');
        else pass(message);
      },
    })),
    fails: ['heartbeat/unsolicited', 'heartbeat/unsolicited-before-init'],
  },
  {
    name: 'answers pongs',
    ...spoiled(() => ({
      inbound(message, { pass, send }) {
        if (message.type === 'pong') send({ type: 'pong' });
        pass(message);
      },
    })),
    fails: ['heartbeat/pong-unanswered'],
  },
  { name: 'answers no ping frame', sockets: { autoPong: false }, fails: ['heartbeat/frame'] },
];
