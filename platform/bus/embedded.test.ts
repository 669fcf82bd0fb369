import pg from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { metrics } from '../metrics.js';
import { busContract } from '../testing/bus-contract.js';
import { type Note, noteContract } from '../testing/bus-storage.js';
import { gate } from '../testing/gate.js';
import { silent } from '../testing/log.js';
import { createTestDatabase } from '../testing/postgres.js';
import { startScript } from '../testing/script.js';
import type { Bus } from './bus.js';
import { createEmbeddedBus } from './embedded.js';
import { type Event, toMessage } from './event.js';

const openInScript = (url: string): string => `
  import { createEmbeddedBus } from './platform/bus/embedded.ts';
  import { createLog } from './platform/log.ts';
  const log = createLog({ level: 'silent', format: 'json', app: 'test' });
  const bus = createEmbeddedBus({ url: ${JSON.stringify(url)}, log });
`;

busContract('a single process', async () => {
  const { url, drop } = await createTestDatabase('bus');
  return {
    open: () => createEmbeddedBus({ url, log: silent }),
    openInScript: openInScript(url),
    destroy: drop,
  };
});

describe('a bus inside one process', () => {
  let created: Awaited<ReturnType<typeof createTestDatabase>>;
  let running: Bus[];

  beforeEach(async () => {
    created = await createTestDatabase('bus');
    running = [];
  });
  afterEach(async () => {
    await Promise.all(running.map((bus) => bus.stop()));
    await created.drop();
  });

  async function start(register: (bus: Bus) => void = () => {}): Promise<Bus> {
    const bus = createEmbeddedBus({ url: created.url, log: silent });
    register(bus);
    await bus.start();
    running.push(bus);
    return bus;
  }

  async function connect(): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: created.url });
    await client.connect();
    return client;
  }

  /** The number that a statement answers. */
  async function one(client: pg.Client, sql: string): Promise<number> {
    const { rows } = await client.query<[number]>({ text: sql, rowMode: 'array' });
    return rows[0]?.[0] ?? 0;
  }

  /** Ends connections of the bus's database, as a restart of the server does. */
  async function cutConnections(): Promise<void> {
    const client = await connect();
    await client.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
    );
    await client.end();
  }

  test('a second bus on the same storage is refused, in this process and in another', async () => {
    const first = await start();
    await expect(start()).rejects.toThrow('another process runs on the same bus database');
    const other = startScript(`${openInScript(created.url)}
    await bus.start().then(() => console.log('started'), (error) => console.log(error.message));
    process.exit();`);
    expect(await other.line()).toContain('another process runs on the same bus database');
    await other.kill();
    await first.stop();
    await start();
  });

  test('a bus whose connections are cut goes on, and is still the only one', async () => {
    const contract = noteContract();
    const handled: number[] = [];
    const bus = await start((opened) =>
      opened.consume({
        group: 'g',
        contract,
        handle: async (events: Event<Note>[]) => void handled.push(...events.map(({ data }) => data.n)),
      }),
    );
    const publish = (n: number) => bus.publish([toMessage('test', contract, { key: 'a', n }, new Date())]);
    await publish(1);
    await expect.poll(() => handled, { timeout: 10_000 }).toEqual([1]);
    await cutConnections();
    await expect
      .poll(
        () =>
          publish(2).then(
            () => true,
            () => false,
          ),
        { timeout: 10_000 },
      )
      .toBe(true);
    await expect.poll(() => handled.at(-1), { timeout: 10_000 }).toBe(2);
    await expect(start()).rejects.toThrow('another process');
  });

  test('a bus that lost its lock to another handles nothing until it has it again', async () => {
    const contract = noteContract();
    let stolen = false;
    const handled: boolean[] = [];
    const bus = await start((opened) =>
      opened.consume({ group: 'g', contract, handle: async () => void handled.push(stolen) }),
    );
    const [thief, helper] = [await connect(), await connect()];
    // Of this database: other tests' buses hold theirs on the same server.
    const locks = `pg_locks l join pg_database d on d.oid = l.database and d.datname = current_database()
      where locktype = 'advisory'`;
    const holder = await one(helper, `select pid from ${locks}`);
    // Who waits for the lock gets it before one who asks for it later.
    const taken = thief.query('select pg_advisory_lock(7310001)');
    await expect.poll(() => one(helper, `select count(*)::int from ${locks} and not granted`)).toBe(1);
    await helper.query('select pg_terminate_backend($1)', [holder]);
    await taken;
    stolen = true;
    await bus.publish([toMessage('test', contract, { key: 'a', n: 1 }, new Date())]);
    const sessions = () =>
      one(helper, 'select sessions::int from pg_stat_database where datname = current_database()');
    const before = await sessions();
    // By then it has asked for its lock several times, and its worker has been woken.
    await expect.poll(sessions, { timeout: 15_000 }).toBeGreaterThan(before + 3);
    expect(handled).toEqual([]);
    stolen = false;
    await thief.end();
    await expect.poll(() => handled, { timeout: 15_000 }).toEqual([false]);
    await helper.end();
  });

  test('a group has one consumer a topic, and consumers come before the start', async () => {
    const consumer = { group: 'g', contract: noteContract(), handle: async () => {} };
    const bus = await start((opened) => {
      opened.consume(consumer);
      expect(() => opened.consume({ ...consumer })).toThrow('has a consumer');
    });
    expect(() => bus.consume({ ...consumer, group: 'late' })).toThrow('has been started');
  });

  test('what a group has yet to handle is measured as long as the bus runs', async () => {
    const [contract, quiet, held] = [noteContract(), noteContract(), gate()];
    const lag = async (topic: string) =>
      (await metrics.lag.get()).values.find(({ labels }) => labels.topic === topic)?.value;
    const handle = () => held.promise;
    const register = (bus: Bus) => {
      bus.consume({ group: 'g', contract, handle });
      bus.consume({ group: 'g', contract: quiet, handle });
    };
    const bus = await start(register);
    await expect.poll(() => lag(contract.topic)).toBe(0);
    await bus.publish([1, 2, 3].map((n) => toMessage('test', contract, { key: 'a', n }, new Date())));
    await expect.poll(() => lag(contract.topic), { timeout: 15_000 }).toBe(3);
    expect(await lag(quiet.topic)).toBe(0);
    held.resolve();
    await bus.stop();
    expect(await lag(contract.topic)).toBeUndefined();
    expect(await lag(quiet.topic)).toBeUndefined();
  });
});
