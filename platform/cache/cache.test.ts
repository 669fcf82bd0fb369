import { randomUUID } from 'node:crypto';
import { createClient } from '@redis/client';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { gate as createGate } from '../testing/gate.js';
import { recordingLog, silent } from '../testing/log.js';
import { needs } from '../testing/needs.js';
import { startTestRedis, type TestRedis } from '../testing/redis.js';
import { until } from '../testing/until.js';
import { createRedis, type Redis, RedisAway } from './redis.js';
import { createRowCache } from './rows.js';
import { type CacheStore, createLocalStore } from './store.js';

interface Row {
  id: string;
  text: string;
  at: Date;
}

/** Rows as a database has them, and which were read. */
function table() {
  const rows = new Map<string, Row>();
  const asked: string[][] = [];
  return {
    rows,
    asked,
    write: (id: string, text: string) => rows.set(id, { id, text, at: new Date(5) }),
    read: async (ids: readonly string[]) => {
      asked.push([...ids]);
      return ids.flatMap((id) => rows.get(id) ?? []);
    },
  };
}
const columns = { id: true, text: true, at: true } as const;
const revive = (json: Row): Row => ({ ...json, at: new Date(json.at) });

function cacheContract(open: () => CacheStore) {
  const cacheOf = (read: (ids: readonly string[]) => Promise<Row[]>, store = open()) =>
    createRowCache<Row>({ name: 'test', store, read, columns, revive });

  test('what was read is kept, and is as it was read', async () => {
    const { write, read, asked } = table();
    const [a, b, c] = [randomUUID(), randomUUID(), randomUUID()];
    write(a, 'a');
    write(b, 'b');
    const cache = cacheOf(read);
    expect(await cache.read([a, c])).toEqual([{ id: a, text: 'a', at: new Date(5) }]);
    await until('it is put', async () => {
      asked.length = 0;
      await cache.read([a]);
      return asked.length === 0 || undefined;
    });
    asked.length = 0;
    const rows = await cache.read([b, a]);
    expect(rows.map(({ text }) => text).toSorted()).toEqual(['a', 'b']);
    expect(rows.find(({ id }) => id === a)?.at).toEqual(new Date(5));
    expect(asked).toEqual([[b]]);
  });

  test('what another release has put, without one of its columns, is read', async () => {
    const { write, read } = table();
    const [id, store] = [randomUUID(), open()];
    write(id, 'whole');
    const [{ lease } = { lease: '' }] = (await store.take([id])) as { lease: string }[];
    await store.put([{ key: id, lease, value: JSON.stringify({ id, text: 'half' }) }]);
    expect((await store.take([id]))[0]?.value).toContain('half');
    expect(await cacheOf(read, store).read([id])).toEqual([{ id, text: 'whole', at: new Date(5) }]);
  });

  test('who misses the same at once has it read once', async () => {
    const { write, read, asked } = table();
    const ids = Array.from({ length: 5 }, () => randomUUID());
    for (const id of ids) write(id, id);
    const cache = cacheOf(read);
    const all = await Promise.all(
      Array.from({ length: 20 }, (_, n) => cache.read(ids.slice(0, 1 + (n % 5)))),
    );
    expect(all.map((rows) => rows.length)).toEqual(Array.from({ length: 20 }, (_, n) => 1 + (n % 5)));
    expect(asked.flat().toSorted()).toEqual(ids.toSorted());
  });

  test('nobody reads what stood before a change that has been told, whatever was under way', async () => {
    const id = randomUUID();
    const { write, read, asked } = table();
    write(id, 'old');
    const gate = createGate();
    let held = true;
    const store = open();
    const slow = async (ids: readonly string[]) => {
      const found = await read(ids);
      if (held) await gate.promise;
      return found;
    };
    const cache = cacheOf(slow, store);
    const another = cacheOf(read, store);
    const before = cache.read([id]);
    // It has read the old row, and not put it.
    await until('it reads', () => asked.length > 0);
    write(id, 'new');
    await cache.forget([id]);
    held = false;
    expect((await cache.read([id]))[0]?.text).toBe('new');
    gate.resolve();
    expect((await before)[0]?.text).toBe('old');
    for (let time = 0; time < 5; time++) {
      expect((await cache.read([id]))[0]?.text).toBe('new');
      expect((await another.read([id]))[0]?.text).toBe('new');
    }
  });

  test('writers and readers of one row, all at once: each reads what is at least as new as its own write', async () => {
    const id = randomUUID();
    const { write, read } = table();
    write(id, '0');
    const store = open();
    let last = 0;
    const yielding = async (ids: readonly string[]) => {
      const rows = await read(ids);
      await new Promise((resolve) => setImmediate(resolve));
      return rows;
    };
    const caches = [cacheOf(yielding, store), cacheOf(yielding, store)];
    await Promise.all(
      Array.from({ length: 20 }, async (_, n) => {
        for (let round = 0; round < 10; round++) {
          const mine = ++last;
          write(id, String(mine));
          await caches[n % 2]?.forget([id]);
          const [row] = (await caches[(n + round) % 2]?.read([id])) ?? [];
          expect(Number(row?.text)).toBeGreaterThanOrEqual(mine);
        }
      }),
    );
  });

  test('a read that fails is told to all who wait for it, and the next tries again', async () => {
    const id = randomUUID();
    let fails = true;
    const cache = cacheOf(async () => {
      if (fails) throw new Error('no database');
      return [{ id, text: 'there', at: new Date(5) }];
    });
    const both = [cache.read([id]), cache.read([id])];
    for (const one of both) await expect(one).rejects.toThrow('no database');
    fails = false;
    expect((await cache.read([id]))[0]?.text).toBe('there');
  });
}

describe('in this process', () => cacheContract(createLocalStore));

needs('redis-server')('in Redis', () => {
  let server: TestRedis;
  let redis: Redis;
  const connected = async (): Promise<Redis> => {
    const opened = createRedis({ url: server.url, prefix: 'test', log: silent });
    await until('it is connected', () => opened.answers);
    return opened;
  };
  beforeAll(async () => {
    server = await startTestRedis();
    redis = await connected();
  });
  afterAll(async () => {
    await redis?.close();
    await server?.stop();
  });
  cacheContract(() => redis.store(randomUUID()));

  /** A cache in which `old` is kept, and a connection to do as Redis does by itself. */
  async function kept() {
    const own = await startTestRedis();
    const one = createRedis({ url: own.url, prefix: 'test', log: silent });
    const raw = await createClient({ url: own.url })
      .on('error', () => undefined)
      .connect();
    onTestFinished(async () => {
      raw.destroy();
      await one.close();
      await own.stop();
    });
    await until('it is connected', () => one.answers);
    const id = randomUUID();
    const { write, read, asked } = table();
    write(id, 'old');
    const cache = createRowCache<Row>({ name: 'test', store: one.store('s'), read, columns, revive });
    await until('it is kept', async () => {
      asked.length = 0;
      await cache.read([id]);
      return asked.length === 0 || undefined;
    });
    const textOf = async () => (await cache.read([id]))[0]?.text;
    return { own, one, raw, cache, textOf, id, write };
  }

  test('while it is away rows are read from the database, and what changed then is not stale after', async () => {
    const { own, one, cache, textOf, id, write } = await kept();
    // It hangs, and keeps what it has: that is worse than dying.
    own.pause();
    write(id, 'new');
    await expect(cache.forget([id])).rejects.toThrow(RedisAway);
    expect(await textOf()).toBe('new');
    expect(one.answers).toBe(false);
    own.resume();
    await until('it answers', () => one.answers);
    expect(await textOf()).toBe('new');
    await own.kill();
    expect(await textOf()).toBe('new');
    await own.start();
    await until('it answers again', () => one.answers);
    expect(await textOf()).toBe('new');
  });

  test('the log says each time that it is away, and that it is back, where it hung and its connection stands', async () => {
    const own = await startTestRedis();
    const { log, lines } = recordingLog();
    const one = createRedis({ url: own.url, prefix: 'test', log });
    onTestFinished(async () => {
      await one.close();
      await own.stop();
    });
    await until('it is connected', () => one.answers);
    const store = one.store('s');
    const told = () => lines.map((line) => line['msg']);
    const round = ['Redis is away: work goes on without it', 'Redis answers'];
    for (const times of [1, 2]) {
      own.pause();
      await expect(store.take(['a'])).rejects.toThrow(RedisAway);
      own.resume();
      await until('it is asked again', () => store.take(['a']).catch(() => undefined));
      expect(told()).toEqual(Array.from({ length: times }, () => round).flat());
    }
  });

  test('it may evict what it likes: what was forgotten altogether does not come back', async () => {
    const { own, one, raw, cache, textOf, id, write } = await kept();
    own.pause();
    expect(await textOf()).toBe('old');
    write(id, 'new');
    // It is not even asked to forget.
    await expect(cache.forget([id])).rejects.toThrow(RedisAway);
    own.resume();
    await until('it answers', () => one.answers);
    expect(await textOf()).toBe('new');
    await raw.del('test:cache:{s}');
    expect(await textOf()).toBe('new');
  });

  test('what it still had on its disk when it came back is not used', async () => {
    const { one, raw, cache, textOf, id, write } = await kept();
    const saved = await Promise.all(
      (await raw.keys('*')).map(async (key) => [key, (await raw.get(key)) ?? ''] as const),
    );
    write(id, 'new');
    await cache.forget([id]);
    for (const [key, value] of saved) await raw.set(key, value);
    const connected = async () => (await raw.clientList()).map((client) => client.id).toSorted();
    const before = await connected();
    await raw.sendCommand(['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes']);
    await until('it is connected anew', async () => {
      const now = await connected();
      return (now.length === before.length && now.join() !== before.join() && one.answers) || undefined;
    });
    expect(await textOf()).toBe('new');
  });

  test('a bucket is drawn from by all together, and fills at its rate', async () => {
    const other = await connected();
    onTestFinished(() => other.close());
    const bucket = randomUUID();
    const options = { rate: 1, size: 10, wanted: 3 };
    const drawn = await Promise.all([redis, other, redis, other].map((one) => one.draw(bucket, options)));
    expect(drawn.map((each) => each.drawn).toSorted()).toEqual([1, 3, 3, 3]);
    const { drawn: none, waitS } = await redis.draw(bucket, options);
    expect([none, waitS > 0 && waitS <= 1]).toEqual([0, true]);
    await until(
      'one is there again',
      async () => (await redis.draw(bucket, options)).drawn === 1 || undefined,
    );
  });
});
