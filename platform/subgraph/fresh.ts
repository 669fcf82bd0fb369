import type { GraphQLSchema } from 'graphql';

/** Where a context keeps how it was made. */
const again = Symbol('again');

/** Makes contexts that know how they were made. */
export const remakeable =
  <Args extends unknown[], Context extends object>(make: (...args: Args) => Context) =>
  (...args: Args): Context =>
    Object.assign(make(...args), { [again]: () => make(...args) });

/**
 * Has each field of a mutation begin with a context that is as new, of those that `remakeable` makes: its loaders would
 * answer with what stood before the fields that ran before it. They run one after the other, each to its end.
 */
export function freshMutations(schema: GraphQLSchema): GraphQLSchema {
  for (const field of Object.values(schema.getMutationType()?.getFields() ?? {})) {
    const { resolve } = field;
    if (!resolve) continue;
    field.resolve = (source, args, context: { [again]?: () => object }, info) => {
      Object.assign(context, context[again]?.());
      return resolve(source, args, context, info);
    };
  }
  return schema;
}
