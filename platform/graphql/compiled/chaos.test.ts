import { type ExecutionResult, execute, getOperationAST, parse, validate } from 'graphql';
import { expect, test } from 'vitest';
import { type ChaosContext, chaosSchema, random } from '../../testing/chaos.js';
import { randomDocument } from '../../testing/documents.js';
import { watchRejections } from '../../testing/rejections.js';
import { compileOperation } from './operation.js';

const schema = chaosSchema();
const watched = watchRejections();
const documents = 400;
const runs = 4;

/** Everything about a run that somebody could see. */
async function trace(
  context: Omit<ChaosContext, 'calls'>,
  run: (context: ChaosContext) => PromiseLike<ExecutionResult> | ExecutionResult,
) {
  const calls: string[] = [];
  const { value, unheard } = await watched(async () => run({ ...context, calls }));
  return { text: JSON.stringify(value), errors: value.errors?.length ?? 0, calls, unheard };
}

// The seed is printed where it fails: SEED=... runs that document alone.
const first = Number(process.env['SEED'] ?? 1);
const count = process.env['SEED'] ? 1 : documents;

test('documents of chance are answered as graphql answers them, its errors in its order', {
  timeout: 120_000,
}, async () => {
  let valid = 0;
  let failed = 0;
  for (let seed = first; seed < first + count; seed++) {
    const chance = random(seed);
    const { query, variables } = randomDocument(schema, chance);
    const document = parse(query);
    if (validate(schema, document).length > 0) continue;
    valid += 1;
    const compiled = compileOperation(schema, document, getOperationAST(document) as never);
    for (let run = 0; run < runs; run++) {
      const given = variables();
      const context = { seed: seed * runs + run, trouble: run === 0 ? 0.0001 : 0.15 * run };
      const { unheard: most, ...wanted } = await trace(context, (contextValue) =>
        execute({ schema, document, contextValue, variableValues: given }),
      );
      const { unheard, ...ours } = await trace(context, (contextValue) =>
        compiled({ contextValue, variables: given }),
      );
      const what = `SEED=${seed} run ${run}: ${query} ${JSON.stringify(given)}`;
      expect(ours, what).toEqual(wanted);
      // What a resolver gave and nobody looked at, because something before it failed, is nobody's.
      expect(unheard, what).toBeLessThanOrEqual(most);
      failed += Number(wanted.errors > 1);
    }
  }
  if (count === 1) return;
  // They were worth it.
  expect(valid).toBeGreaterThan(200);
  expect(failed).toBeGreaterThan(150);
});
