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
    for (const [name, query, variables, right] of queries) {
      test(right ? `${name} (where ApolloGateway is wrong)` : name, async () => {
        const { ours, oracle } = await duel.ask({ query, ...(variables && { variables }) });
        if (!right) return expect(comparable(ours)).toEqual(comparable(oracle));
        if ('refusal' in right) {
          expect(ours.body).toMatchObject({ errors: [{ message: right.refusal }] });
        } else {
          expect(comparable(ours)).toEqual({ status: 200, data: JSON.stringify(right.data), errors: [] });
        }
        // The day that this fails, it belongs to the others.
        expect(comparable(ours)).not.toEqual(comparable(oracle));
      });
    }
  });
}
