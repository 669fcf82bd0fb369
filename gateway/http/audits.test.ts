import { serverAudits } from 'graphql-http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Gateway } from '../index.js';
import { startTestGateway } from '../testing/gateway.js';
import { type Library, librarySupergraph, startLibrary } from '../testing/library.js';

let library: Library;
let gateway: Gateway;
beforeAll(async () => {
  library = await startLibrary();
  gateway = await startTestGateway({ supergraph: librarySupergraph(), subgraphUrls: library.urls });
});
afterAll(async () => {
  await gateway.stop();
  await Promise.all([library.books.stop(), library.authors.stop()]);
});

// The audits are made before the gateway has its port.
const audits = serverAudits({ url: () => `${gateway.url}/graphql`, fetchFn: fetch });

// What the specification only recommends counts as well: a client may rely on any of it.
describe('GraphQL over HTTP, as the reference implementation audits it', () => {
  test.each(audits.map((audit) => [audit.id, audit.name, audit] as const))(
    '%s %s',
    async (_id, _name, audit) => {
      const result = await audit.fn();
      expect(result.status, 'reason' in result ? result.reason : '').toBe('ok');
    },
  );

  test('is audited in full', () => {
    expect(audits).toHaveLength(61);
  });
});
