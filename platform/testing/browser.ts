import { type Browser, chromium, type Page } from 'playwright-core';
import { findProgram } from './needs.js';

const flags =
  '--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync';

/** The machine's Chromium, without a window, that asks nothing of the network by itself. */
export async function launchBrowser(): Promise<Browser> {
  const executablePath = findProgram('chromium');
  return chromium.launch({ ...(executablePath !== undefined && { executablePath }), args: flags.split(' ') });
}

export interface GraphiQLPage {
  page: Page;
  /** Every address that the page has asked, WebSockets included. */
  asked: string[];
  run(): Promise<void>;
  /** What the response pane shows, without white space. */
  shown(): Promise<string>;
}

/** Opens GraphiQL at `url` with this query and these headers in its editors. */
export async function openGraphiQL(
  browser: Browser,
  url: string,
  editors: { query: string; headers: Record<string, string> },
): Promise<GraphiQLPage> {
  const page = await browser.newPage();
  const asked: string[] = [];
  page.on('request', (sent) => asked.push(sent.url()));
  page.on('websocket', (socket) => asked.push(socket.url()));
  // Where GraphiQL keeps the headers of its last visit.
  await page.addInitScript(
    (kept) => localStorage.setItem('graphiql:headers', kept),
    JSON.stringify(editors.headers),
  );
  await page.goto(`${url}/graphql?query=${encodeURIComponent(editors.query)}`);
  await page.waitForSelector('.graphiql-execute-button');
  return {
    page,
    asked,
    run: () => page.click('.graphiql-execute-button'),
    shown: async () =>
      ((await page.locator('.graphiql-response .result-window').textContent()) ?? '').replaceAll(/\s/g, ''),
  };
}
