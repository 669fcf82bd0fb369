import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { namedQueries } from '../testing/bazaar/queries.js';
import { comparable } from '../testing/oracle/answers.js';
import { type Duel, startDuel } from '../testing/oracle/duel.js';

let duel: Duel;
beforeAll(async () => {
  duel = await startDuel();
});
afterAll(() => duel.stop());

for (const [feature, queries] of Object.entries(namedQueries)) {
  describe(feature, () => {
    for (const [name, query, variables] of queries) {
      test(name, async () => {
        const { ours, oracle } = await duel.ask({ query, ...(variables && { variables }) });
        expect(comparable(ours)).toEqual(comparable(oracle));
      });
    }
  });
}
