import { buildSchema, execute, parse } from 'graphql';
import { expect, test } from 'vitest';
import { createDocuments } from '../graphql/documents.js';
import { rowLoader } from '../graphql/loader.js';
import { freshMutations, remakeable } from './fresh.js';

interface Row {
  id: string;
  name: string;
}
interface Context {
  rows: ReturnType<typeof rowLoader<Row>>;
}

/** A service whose mutations answer with what its loaders have. */
function open() {
  const schema = buildSchema(`
    type Row { id: ID! name: String! same: Row! }
    type Query { row: Row! }
    type Mutation { rename(name: String!): Row! }`);
  const row: Row = { id: '1', name: 'none' };
  const reads: string[] = [];
  const load = ({ rows }: Context) => rows.load('1');
  const fieldOf = (type: string, field: string) => {
    const found = schema.getType(type);
    if (!found || !('getFields' in found)) throw new Error(`there is no ${type}`);
    return found.getFields()[field] as { resolve?: unknown };
  };
  fieldOf('Query', 'row').resolve = (_: unknown, __: unknown, context: Context) => load(context);
  fieldOf('Row', 'same').resolve = (_: unknown, __: unknown, context: Context) => load(context);
  fieldOf('Mutation', 'rename').resolve = (_: unknown, { name }: { name: string }, context: Context) => {
    row.name = name;
    return load(context);
  };
  const context = remakeable(
    (): Context => ({
      rows: rowLoader<Row>(
        async () => {
          reads.push(row.name);
          return [{ ...row }];
        },
        ({ id }) => id,
      ),
    }),
  );
  return { schema: freshMutations(schema), context, reads };
}

test.each(['graphql', 'compiled'])('%s: each field of a mutation sees what it has done', async (executor) => {
  const { schema, context, reads } = open();
  const run = async (query: string) => {
    const contextValue = context();
    if (executor === 'graphql') return execute({ schema, document: parse(query), contextValue });
    const found = createDocuments({ service: 'test', schema }).find(query, undefined);
    if (!('execute' in found)) throw new Error('it does not fit');
    return found.execute({ contextValue, variables: undefined });
  };
  const fields = (name: string) => `${name}: rename(name: "${name}") { name same { name } }`;
  const is = (name: string) => ({ name, same: { name } });
  expect(await run(`mutation { ${fields('a')} ${fields('b')} ${fields('c')} }`)).toEqual({
    data: { a: is('a'), b: is('b'), c: is('c') },
  });
  // Once for each field, whatever is selected of it; and a query reads it once.
  expect(reads).toEqual(['a', 'b', 'c']);
  await run('{ row { same { same { name } } } a: row { name } }');
  expect(reads).toEqual(['a', 'b', 'c', 'c']);
});
