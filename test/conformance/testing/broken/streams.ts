import { allOf, type Broken, spoiled } from './broken.js';

export const inStreams: Broken[] = [
  {
    name: 'does not hear complete',
    ...spoiled(() => ({
      inbound(message, { pass }) {
        if (message.type !== 'complete') pass(message);
      },
    })),
    fails: ['complete/of-slow-query', 'complete/stops', 'complete/id-again'],
  },
  {
    name: 'takes complete of what does not run for a mistake',
    ...spoiled(() => {
      const running = new Set<unknown>();
      return {
        inbound(message, { pass, close }) {
          if (message.type === 'subscribe') running.add(message.id);
          if (message.type !== 'complete' || running.delete(message.id)) pass(message);
          else close(4400, 'Invalid message received');
        },
        outbound(message, { send }) {
          if (message.type === 'complete' || message.type === 'error') running.delete(message.id);
          send(message);
        },
      };
    }),
    fails: ['complete/of-unknown', 'complete/of-completed', 'complete/of-refused', 'complete/twice'],
  },
  {
    name: 'answers complete by complete',
    ...spoiled(() => ({
      inbound(message, { pass, send }) {
        if (message.type === 'complete') send({ id: message.id, type: 'complete' });
        pass(message);
      },
    })),
    fails: ['complete/unanswered'],
  },
  {
    name: 'completes everything when one thing is completed',
    ...spoiled(() => {
      const ids = new Set<unknown>();
      return {
        inbound(message, { pass }) {
          if (message.type === 'subscribe') ids.add(message.id);
          if (message.type === 'complete') for (const id of ids) pass({ id, type: 'complete' });
          else pass(message);
        },
      };
    }),
    fails: ['complete/one-of-two', 'complete/stops', 'resume/two'],
  },
  {
    name: 'passes over a subscribe whose id is running',
    ...spoiled(() => {
      const ids = new Set<unknown>();
      return {
        inbound(message, { pass }) {
          if (message.type === 'complete') ids.delete(message.id);
          if (message.type !== 'subscribe' || !ids.has(message.id)) pass(message);
          if (message.type === 'subscribe') ids.add(message.id);
        },
      };
    }),
    fails: [...allOf('subscription/duplicate'), 'complete/id-again-unread'],
  },
  {
    name: 'runs one operation at a time',
    ...spoiled(() => {
      let running: unknown;
      return {
        inbound(message, { pass }) {
          if (message.type === 'complete' && message.id === running) running = undefined;
          if (message.type === 'subscribe') {
            if (running !== undefined) return;
            running = message.id;
          }
          pass(message);
        },
        outbound(message, { send }) {
          if (message.type === 'complete' || message.type === 'error') running = undefined;
          send(message);
        },
      };
    }),
    fails: ['subscription/two', 'subscription/query-meanwhile', 'operation/interleaved'],
  },
  {
    name: 'sends the first event alone',
    ...spoiled(() => {
      const seen = new Set<unknown>();
      return {
        outbound(message, { send }) {
          if (message.type !== 'next' || !seen.has(message.id)) send(message);
          if (message.type === 'next') seen.add(message.id);
        },
      };
    }),
    fails: ['subscription/events'],
  },
];
