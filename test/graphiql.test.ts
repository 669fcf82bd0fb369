import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchBrowser, openGraphiQL } from '../platform/testing/browser.js';
import { needs } from '../platform/testing/needs.js';
import { until } from '../platform/testing/until.js';
import { type System, startSystem } from './support/system.js';

needs('chromium')('GraphiQL in Chromium', () => {
  let system: System;
  let browser: Browser;
  beforeAll(async () => {
    [system, browser] = await Promise.all([startSystem({ DELIVERY_STEP: '200ms' }), launchBrowser()]);
  });
  afterAll(async () => {
    await browser.close();
    await system.stop();
  });

  test('shows the catalogue without a login, and an order on its way with one', {
    timeout: 60_000,
  }, async () => {
    const query = '{ products(first: 1) { totalCount nodes { name price { amount } } } }';
    const catalogue = await openGraphiQL(browser, system.url, { query, headers: {} });
    await catalogue.run();
    await until('the catalogue is shown', async () =>
      (await catalogue.shown()).includes(
        '"totalCount":10,"nodes":[{"name":"Espresso","price":{"amount":"2.00"}}]',
      ),
    );

    const customer = await system.register();
    await system.topUp(customer, '20.00');
    const orderId = await system.order(customer);
    const watching = await openGraphiQL(browser, system.url, {
      query: `subscription { deliveryStatusChanged(orderId: "${orderId}") { status order { user { firstName } payment { status } } } }`,
      headers: { authorization: `Bearer ${customer.token}` },
    });
    await watching.run();
    await until('the delivery has arrived', async () =>
      (await watching.shown()).includes(
        '"status":"DELIVERED","order":{"user":{"firstName":"Rosa"},"payment":{"status":"SUCCESS"}}',
      ),
    );

    const { host } = new URL(system.url);
    const elsewhere = [...catalogue.asked, ...watching.asked].filter(
      (url) => !/^(blob|data):/.test(url) && new URL(url).host !== host,
    );
    expect(elsewhere).toEqual([]);
  });
});
