import { allOf, type Broken, spoiled } from './broken.js';

const resumed = ['missed', 'then-live', 'nothing-missed', 'while-changing', 'reconnect', 'again'].map(
  (name) => `resume/${name}`,
);

export const inResumption: Broken[] = [
  { name: 'repeats the event of a cursor', history: { skip: -1 }, fails: [...resumed, 'resume/two'] },
  {
    name: 'loses the event after a cursor',
    history: { skip: 1 },
    fails: resumed.filter((id) => id !== 'resume/nothing-missed' && id !== 'resume/while-changing'),
  },
  {
    name: 'takes a cursor that it does not know for none',
    history: { lenient: true },
    fails: allOf('resume/wrong-cursor'),
  },
  {
    name: 'takes a wrong cursor for none',
    ...spoiled(() => ({
      inbound(message, { pass }) {
        const { variables, ...payload } = (message.payload ?? {}) as Record<string, unknown>;
        const { after, ...others } = (variables ?? {}) as Record<string, unknown>;
        if (typeof after === 'object') pass({ ...message, payload: { ...payload, variables: others } });
        else pass(message);
      },
    })),
    fails: allOf('resume/wrong-type'),
  },
  {
    name: 'begins with the first change, not with the last',
    history: { first: (changes) => changes.slice(0, 1) },
    fails: ['resume/present-state'],
  },
  {
    name: 'tells every change twice',
    history: { told: (change) => [change, change] },
    fails: ['resume/cursors', 'resume/in-order', ...resumed],
  },
  {
    name: 'gives two changes one cursor',
    history: { told: ({ cursor, value }) => [{ value, cursor: value === 2 ? 'c1' : cursor }] },
    fails: ['resume/cursors'],
  },
  { name: 'has a service that is away', partial: true, fails: ['resume/whole'] },
];
