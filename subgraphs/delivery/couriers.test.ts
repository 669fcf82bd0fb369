import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { projectPath } from '../../platform/root.js';
import { onlyCouriers } from '../../test/support/couriers.js';
import { beginDelivery, dispatching, stepDelivery } from '../../test/support/deliveries.js';
import { enumValues, reachable } from '../../test/support/machines.js';
import { serviceDatabase } from '../../test/support/service.js';
import { assignCouriers } from './assign.js';
import { courierCommands, lockCourier } from './couriers.js';
import { courierStatuses, courierTransitions, readDuty, readProfile, transports } from './domain.js';

const sdl = readFileSync(projectPath('subgraphs', 'delivery', 'schema.graphql'), 'utf8');
const profile = { name: 'Rosa', phone: '+49 30 123456', transport: 'BICYCLE' } as const;

test('the statuses and transports of couriers are those of the SDL, and all can be reached', () => {
  expect([...courierStatuses]).toEqual(enumValues(sdl, 'CourierStatus'));
  expect([...transports]).toEqual(enumValues(sdl, 'Transport'));
  expect(reachable(courierTransitions, 'AVAILABLE').sort()).toEqual([...courierStatuses].sort());
});

test.each(courierStatuses)('nobody makes a courier that is %s BUSY by hand', (from) => {
  expect(readDuty(from, 'BUSY')).toMatchObject({
    code: 'INVALID_TRANSITION',
    message: expect.stringMatching(new RegExp(`${from}.*BUSY`)),
  });
});

describe('what is said of a courier', () => {
  test('is a name without the spaces around it, and a phone number without signs', () => {
    expect(readProfile({ ...profile, name: ' Rosa ', phone: '+49 (30) 12-34.56' })).toEqual({
      ok: true,
      value: { name: 'Rosa', phone: '+4930123456', transport: 'BICYCLE' },
    });
  });
  test.each([
    ['name', { name: ' ' }],
    ['name', { name: 'x'.repeat(101) }],
    ['name', { name: 'a\u0000b' }],
    ['phone', { phone: '030123456' }],
    ['phone', { phone: '+0301234567' }],
    ['phone', { phone: '+49 call me' }],
    ['phone', { phone: 4930123456 }],
    ['phone', { phone: `+${'1'.repeat(16)}` }],
  ])('is refused by its %s: %o', (field, given) => {
    expect(readProfile(given)).toMatchObject({ ok: false, code: 'BAD_USER_INPUT', field });
  });
});

describe('a courier', () => {
  test('is made once for an account, and changed in what is said', async () => {
    const database = await serviceDatabase('delivery');
    const { create, update } = courierCommands(database, dispatching.geography, onlyCouriers);
    const userId = randomUUID();
    const made = await create({ ...profile, userId });
    expect(made).toMatchObject({ ok: true });
    const twice = await Promise.all([1, 2, 3].map(() => create({ ...profile, userId })));
    for (const again of twice) expect(again).toMatchObject({ ok: false, code: 'CONFLICT', field: 'userId' });
    const id = made.ok ? made.value : '';
    expect(await update(id, { transport: 'CAR' })).toEqual({ ok: true, value: id });
    expect(await update(randomUUID(), { transport: 'CAR' })).toMatchObject({ code: 'NOT_FOUND' });
    const { rows } = await database.query('select name, phone, transport from couriers');
    expect(rows).toEqual([{ name: 'Rosa', phone: '+4930123456', transport: 'CAR' }]);
  });

  test('that goes off duty brings what it has to the end, and gets nothing more until it is back', async () => {
    const database = await serviceDatabase('delivery');
    const { setStatus } = courierCommands(database, dispatching.geography, onlyCouriers);
    const delivery = await database.transaction((tx) => beginDelivery(tx));
    const id = delivery.courierId;
    const status = () => database.transaction(async (tx) => (await lockCourier(tx, { id }))?.status);
    expect(await status()).toBe('BUSY');
    expect(await setStatus({ id }, 'OFFLINE')).toEqual({ ok: true, value: id });
    expect(await status()).toBe('BUSY');
    for (let step = 0; step < 3; step += 1) await database.transaction((tx) => stepDelivery(tx, delivery));
    expect(await status()).toBe('OFFLINE');
    const next = await database.transaction((tx) => beginDelivery(tx));
    await database.query('update deliveries set courier_id = null where id = $1', [next.deliveryId]);
    await database.query('delete from couriers where id = $1', [next.courierId]);
    expect(await assignCouriers(database, dispatching)).toBe(0);
    expect(await setStatus({ id }, 'AVAILABLE')).toEqual({ ok: true, value: id });
    expect(await assignCouriers(database, dispatching)).toBe(1);
  });

  test('says where it is, on the earth', async () => {
    const database = await serviceDatabase('delivery');
    const { create, report } = courierCommands(database, dispatching.geography, onlyCouriers);
    const userId = randomUUID();
    await create({ ...profile, userId });
    expect(await report(userId, { latitude: 52.5, longitude: 13.4 })).toMatchObject({ ok: true });
    expect(await report(userId, { latitude: 90.1, longitude: 13.4 })).toMatchObject({ field: 'latitude' });
    expect(await report(userId, { latitude: 52.5, longitude: -180.1 })).toMatchObject({ field: 'longitude' });
    expect(await report(randomUUID(), { latitude: 0, longitude: 0 })).toMatchObject({ code: 'NOT_FOUND' });
    const { rows } = await database.query('select latitude, longitude from couriers');
    expect(rows).toEqual([{ latitude: 52.5, longitude: 13.4 }]);
  });
});
