import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Bus, type DeadLetter, maxAttempts } from '../bus/bus.js';
import { type Contract, type Event, type Message, toMessage } from '../bus/event.js';
import { killContract } from './bus-kill-contract.js';
import { type BusStorage, type Note, noteContract } from './bus-storage.js';
import { gate } from './gate.js';

const outage = () => Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
/** A database that is not as it should be is no event's fault either. */
const missingTable = () => Object.assign(new Error('relation "accounts" does not exist'), { code: '42P01' });
const patient = { timeout: 30_000, interval: 20 };

/** What every bus promises (see bus.ts), whatever carries it. */
export function busContract(name: string, create: () => Promise<BusStorage>): void {
  describe(`the bus of ${name}`, { timeout: 60_000 }, () => {
    let storage: BusStorage;
    let running: Bus[];
    let contract: Contract<Note>;
    let group: string;

    beforeEach(async () => {
      storage = await create();
      running = [];
      contract = noteContract();
      group = `group-${randomUUID()}`;
    });
    afterEach(async () => {
      await Promise.all(running.map((bus) => bus.stop()));
      await storage.destroy();
    });

    const notes = (...data: Note[]): Message[] =>
      data.map((note) => toMessage('test', contract, note, new Date()));

    async function start(register: (bus: Bus) => void): Promise<Bus> {
      const bus = storage.open();
      register(bus);
      await bus.start();
      running.push(bus);
      return bus;
    }

    async function stop(bus: Bus): Promise<void> {
      running.splice(running.indexOf(bus), 1);
      await bus.stop();
    }

    /** Starts a bus with one consumer that hands its events to `each`, and keeps those that went well. */
    async function consume(
      each: (event: Event<Note>, batch: Event<Note>[]) => Promise<void> | void = () => {},
    ) {
      const handled: Note[] = [];
      const bus = await start((opened) =>
        opened.consume({
          group,
          contract,
          handle: async (events: Event<Note>[]) => {
            for (const event of events) await each(event, events);
            handled.push(...events.map(({ data }) => data));
          },
        }),
      );
      return { bus, handled };
    }

    const deadLetters = async (bus: Bus): Promise<DeadLetter[]> => await bus.deadLetters(contract.topic);

    test('every group gets every event of the topics that it consumes', async () => {
      const other = noteContract();
      const heard: string[] = [];
      const bus = await start((opened) => {
        for (const [consumer, of] of [
          ['one', contract],
          ['two', contract],
          ['two', other],
        ] as const) {
          const handle = async (events: Event<Note>[]) => {
            heard.push(
              ...events.map(({ data }) => `${consumer} ${of === contract ? 'first' : 'other'} ${data.n}`),
            );
          };
          opened.consume({ group: `${group}-${consumer}`, contract: of, handle });
        }
      });
      await bus.publish([
        ...notes({ key: 'a', n: 1 }),
        toMessage('test', other, { key: 'a', n: 2 }, new Date()),
      ]);
      await expect.poll(() => heard.length, patient).toBe(3);
      expect(heard.toSorted()).toEqual(['one first 1', 'two first 1', 'two other 2']);
    });

    test('an event comes as it was published', async () => {
      const seen: Event<Note>[] = [];
      const { bus } = await consume((event) => void seen.push(event));
      const at = new Date('2026-11-21T08:00:00.123Z');
      const message = toMessage('tester', contract, { key: 'a', n: 1 }, at);
      await bus.publish([message]);
      await expect
        .poll(() => seen, patient)
        .toEqual([
          {
            id: message.id,
            source: '/doorstep/tester',
            type: contract.topic,
            time: at,
            data: { key: 'a', n: 1 },
          },
        ]);
    });

    test('the events of a key are handled in order, however they are published', async () => {
      const { bus, handled } = await consume();
      const keys = Array.from({ length: 10 }, () => randomUUID());
      await Promise.all(
        keys.map(async (key) => {
          for (let n = 0; n < 60; n += 20)
            await bus.publish(notes(...Array.from({ length: 20 }, (_, i) => ({ key, n: n + i }))));
        }),
      );
      await expect.poll(() => handled.length, patient).toBe(600);
      for (const key of keys) {
        expect(handled.filter((note) => note.key === key).map(({ n }) => n)).toEqual(
          Array.from({ length: 60 }, (_, n) => n),
        );
      }
    });

    test('what was published before a restart is handled after it', async () => {
      const started = gate();
      const first = await consume(() => {
        started.resolve();
        throw outage();
      });
      await first.bus.publish(notes({ key: 'a', n: 1 }, { key: 'b', n: 2 }));
      await started.promise;
      await stop(first.bus);
      const { handled } = await consume();
      await expect
        .poll(() => handled.toSorted((one, other) => one.n - other.n), patient)
        .toEqual([
          { key: 'a', n: 1 },
          { key: 'b', n: 2 },
        ]);
    });

    test('a poison event is put aside after five tries; its key waits for it, all others do not', async () => {
      let tries = 0;
      let neighbours: string[] = [];
      const { bus, handled } = await consume(async ({ data }, batch) => {
        if (data.n !== 13) return;
        if (batch.length === 1) tries += 1;
        if (tries === 2 && batch.length === 1) await bus.publish(notes({ key: 'late', n: 5 }));
        if (tries === maxAttempts) neighbours = handled.map(({ key, n }) => `${key}${n}`);
        throw new Error('thirteen brings bad luck\0');
      });
      const lateAt: number[] = [];
      const poison = { key: 'b', n: 13 };
      await bus.publish(notes({ key: 'a', n: 1 }, poison, { key: 'b', n: 3 }, { key: 'c', n: 4 }));
      await expect
        .poll(() => {
          if (lateAt.length === 0 && handled.some(({ key }) => key === 'late')) lateAt.push(tries);
          return handled.some(({ key }) => key === 'b');
        }, patient)
        .toBe(true);
      expect(neighbours).toEqual(expect.arrayContaining(['a1', 'c4']));
      expect(lateAt[0]).toBeLessThan(maxAttempts);
      expect(tries).toBe(maxAttempts);
      expect(handled.filter(({ key }) => key === 'b')).toEqual([{ key: 'b', n: 3 }]);
      const dead = await deadLetters(bus);
      expect(dead).toMatchObject([
        { group, topic: contract.topic, key: 'b', reason: 'thirteen brings bad luck' },
      ]);
      expect(JSON.parse(dead[0]?.value ?? '')).toMatchObject({ data: poison });
    });

    test.each([
      ['is not JSON', () => '{', /not JSON/],
      ['is no CloudEvent', () => '{"n":1}', /not a CloudEvent/],
      [
        'has another type',
        (value: string) => value.replace('"type":"test.', '"type":"best.'),
        /the type is best/,
      ],
      [
        'breaks its contract',
        (value: string) => value.replace('"n":13', '"n":"\\u0000 thirteen"'),
        /data: n/,
      ],
    ])('a message that %s is put aside at once, with the reason', async (_, spoil, reason) => {
      const { bus, handled } = await consume();
      const spoilt = notes({ key: 'a', n: 13 }).map((message) => ({
        ...message,
        value: spoil(message.value),
      }));
      await bus.publish([...notes({ key: 'a', n: 1 }), ...spoilt, ...notes({ key: 'a', n: 2 })]);
      await expect.poll(() => handled.map(({ n }) => n), patient).toEqual([1, 2]);
      await expect
        .poll(() => deadLetters(bus), patient)
        .toMatchObject([{ group, key: 'a', value: spoilt[0]?.value }]);
      expect((await deadLetters(bus))[0]?.reason).toMatch(reason);
    });

    test.each([
      ['a lone event', [1]],
      ['a batch', [1, 2]],
    ])(
      'an outage is waited for, however many tries it takes, and makes no dead letter of %s',
      async (_, all) => {
        let tries = 0;
        const { bus, handled } = await consume(() => {
          tries += 1;
          if (tries <= maxAttempts + 1) throw tries % 2 === 0 ? outage() : missingTable();
        });
        await bus.publish(notes(...all.map((n) => ({ key: 'a', n }))));
        await expect.poll(() => handled.map(({ n }) => n), patient).toEqual(all);
        expect(await deadLetters(bus)).toEqual([]);
      },
    );

    test('a dead letter that is replayed goes to its own group alone, once', async () => {
      let broken = true;
      const others: Note[] = [];
      const handled: Note[] = [];
      const bus = await start((opened) => {
        opened.consume({
          group,
          contract,
          handle: async (events: Event<Note>[]) => {
            if (broken) throw new Error('a bug');
            handled.push(...events.map(({ data }) => data));
          },
        });
        opened.consume({
          group: `${group}-other`,
          contract,
          handle: async (events: Event<Note>[]) => void others.push(...events.map(({ data }) => data)),
        });
      });
      await bus.publish(notes({ key: 'a', n: 1 }));
      await expect.poll(async () => (await deadLetters(bus)).length, patient).toBe(1);
      broken = false;
      expect(await bus.replayDeadLetters({ topic: 'another.topic', first: 10 })).toBe(0);
      expect(await bus.replayDeadLetters({ topic: contract.topic, first: 0 })).toBe(0);
      expect(await bus.replayDeadLetters({ topic: contract.topic, first: 10 })).toBe(1);
      await bus.publish(notes({ key: 'a', n: 2 }));
      await expect.poll(() => handled.map(({ n }) => n), patient).toEqual([1, 2]);
      await expect.poll(() => others.map(({ n }) => n), patient).toEqual([1, 2]);
      expect(await deadLetters(bus)).toEqual([]);
      expect(await bus.replayDeadLetters({ topic: contract.topic, first: 10 })).toBe(0);
    });

    test('it tells how far each group is behind, and how many dead letters there are', async () => {
      const [started, going] = [gate(), gate()];
      const { bus } = await consume(async ({ data }) => {
        started.resolve();
        await going.promise;
        if (data.n === 13) throw new Error('thirteen brings bad luck');
      });
      const behind = async () =>
        (await bus.lag())
          .filter((one) => one.group === group && one.topic === contract.topic)
          .reduce((sum, { lag }) => sum + lag, 0);
      expect(await behind()).toBe(0);
      // Others may put letters aside on the same brokers.
      const letters = await bus.countDeadLetters();
      await bus.publish(notes({ key: 'a', n: 1 }, { key: 'b', n: 13 }, { key: 'c', n: 3 }));
      await started.promise;
      await expect.poll(behind, patient).toBe(3);
      going.resolve();
      await expect.poll(behind, patient).toBe(0);
      await expect.poll(() => bus.countDeadLetters(), patient).toBeGreaterThan(letters);
    });

    test('listeners hear every event from now on, and one that fails does no harm', async () => {
      const before = await start(() => {});
      await before.publish(notes({ key: 'a', n: 0 }));
      await stop(before);
      const heard: number[] = [];
      const bus = await start((opened) => {
        opened.listen(contract, () => {
          throw new Error('a bad listener');
        });
        opened.listen(contract, ({ data }) => void heard.push(data.n));
      });
      await bus.publish(notes({ key: 'a', n: 1 }, { key: 'a', n: 2 }));
      await bus.publish(notes({ key: 'a', n: 3 }));
      await expect.poll(() => heard, patient).toEqual([1, 2, 3]);
    });

    test('listeners are told when they may have missed something, before they hear what comes after it', async () => {
      const told: string[] = [];
      const listening = (opened: Bus): void => {
        opened.listen(
          contract,
          () => {},
          () => {
            throw new Error('a bad listener');
          },
        );
        opened.listen(
          contract,
          ({ data }) => void told.push(`event ${data.n}`),
          () => void told.push('gap'),
        );
      };
      const bus = await start(listening);
      await expect.poll(() => told, patient).toContain('gap');
      await bus.publish(notes({ key: 'a', n: 1 }));
      await expect.poll(() => told, patient).toContain('event 1');
      expect(told.indexOf('gap')).toBeLessThan(told.indexOf('event 1'));
      await stop(bus);
      told.length = 0;
      await start(listening);
      await expect.poll(() => told, patient).toContain('gap');
    });

    test('stopping lets a running handler end, and what it did is not done again', async () => {
      const started = gate();
      const order: string[] = [];
      const { bus } = await consume(async () => {
        started.resolve();
        // The work takes a while, so that a stop that does not wait would be over first.
        await new Promise((resolve) => setTimeout(resolve, 300));
        order.push('handled');
      });
      await bus.publish(notes({ key: 'a', n: 1 }));
      await started.promise;
      await stop(bus);
      expect([...order, 'stopped']).toEqual(['handled', 'stopped']);
      const again = await consume();
      await again.bus.publish(notes({ key: 'a', n: 2 }));
      await expect.poll(() => again.handled.length, patient).toBeGreaterThan(0);
      expect(again.handled).toEqual([{ key: 'a', n: 2 }]);
    });

    test('publishing on a bus that does not run fails', async () => {
      await expect(storage.open().publish(notes({ key: 'a', n: 1 }))).rejects.toThrow();
    });

    killContract({ storage: () => storage, start, patient });
  });
}
