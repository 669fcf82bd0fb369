import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { needs } from '../platform/testing/needs.js';
import { startTestRedis, type TestRedis } from '../platform/testing/redis.js';
import { until } from '../platform/testing/until.js';
import { codeOf } from './support/dispatch.js';
import { samplesOf, sum } from './support/metrics.js';
import { type System, startSystem } from './support/system.js';

needs('redis-server')('the catalogue, with Redis', () => {
  let redis: TestRedis;
  let system: System;
  beforeAll(async () => {
    redis = await startTestRedis();
    system = await startSystem({ REDIS_URL: redis.url });
  });
  afterAll(async () => {
    await system?.stop();
    await redis?.stop();
  });

  const fields = 'id name description price { amount currency } available';
  const upsert = (input: object, token = system.staffToken) =>
    system.graphql<{ upsertProduct: { id: string } }>(
      `mutation ($input: ProductInput!) { upsertProduct(input: $input) { ${fields} } }`,
      { input },
      token,
    );
  const product = async (id: string) =>
    (await system.ask<{ product: object }>(`query ($id: ID!) { product(id: $id) { ${fields} } }`, { id }))
      .product;
  const hits = async () => {
    const text = await (await fetch(system.metricsUrl)).text();
    return sum(samplesOf(text), 'cache_reads_total', { cache: 'products', result: 'hit' }) ?? 0;
  };
  const health = async () => (await system.http('/health/ready')).json();

  test('a product is added and changed, and whoever has changed it sees that at once', async () => {
    const added = await upsert({ name: ' Tea ', price: '3.10' });
    const id = added.data?.upsertProduct.id ?? '';
    const tea = {
      id,
      name: 'Tea',
      description: null,
      price: { amount: '3.10', currency: 'EUR' },
      available: true,
    };
    expect(added.data?.upsertProduct).toEqual(tea);
    for (let cents = 20; cents < 40; cents++) {
      expect(await product(id)).toMatchObject({ name: 'Tea' });
      const price = `3.${cents}`;
      await upsert({ id, name: 'Tea', description: 'Green', price, available: cents % 2 === 0 });
      expect(await product(id)).toEqual({
        ...{ ...tea, description: 'Green', price: { amount: price, currency: 'EUR' } },
        available: cents % 2 === 0,
      });
    }
    const chosen = randomUUID();
    expect((await upsert({ id: chosen, name: 'Own', price: '1' })).data?.upsertProduct.id).toBe(chosen);
  });

  test.each([
    [{ name: ' ', price: '1.00' }, 'name'],
    [{ name: 'x'.repeat(201), price: '1.00' }, 'name'],
    [{ name: 'Tea', price: '0.00' }, 'price'],
    [{ name: 'Tea', price: '1.001' }, 'price'],
    [{ name: 'Tea', price: '1.00', description: 'x'.repeat(2_001) }, 'description'],
    [{ name: 'Tea', price: '1.00', currency: 'USD' }, 'currency'],
    [{ id: 'tea', name: 'Tea', price: '1.00' }, 'id'],
  ])('%o is refused, and says what is wrong: %s', async (input, field) => {
    expect((await upsert(input)).errors[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', field });
  });

  test('is up to staff', async () => {
    const { token } = await system.register();
    expect(codeOf(await upsert({ name: 'Tea', price: '1.00' }, token))).toBe('FORBIDDEN');
  });

  test('is there while Redis is away, and never stale', async () => {
    const id = randomUUID();
    await upsert({ id, name: 'Before', price: '1.00' });
    await until('it is kept', async () => {
      const before = await hits();
      await product(id);
      return (await hits()) > before || undefined;
    });
    redis.pause();
    await upsert({ id, name: 'Meanwhile', price: '1.00' });
    expect(await product(id)).toMatchObject({ name: 'Meanwhile' });
    await until('it is said', async () => {
      const { degraded = [] } = (await health()) as { degraded?: string[] };
      return degraded.includes('order: redis') || undefined;
    });
    expect((await system.http('/health/ready')).status).toBe(200);
    redis.resume();
    await until('it answers', async () => !('degraded' in ((await health()) as object)) || undefined);
    expect(await product(id)).toMatchObject({ name: 'Meanwhile' });
    await redis.kill();
    await upsert({ id, name: 'After', price: '1.00' });
    expect(await product(id)).toMatchObject({ name: 'After' });
    await redis.start();
    await until('it answers', async () => !('degraded' in ((await health()) as object)) || undefined);
    expect(await product(id)).toMatchObject({ name: 'After' });
  });
});
