import { type DocumentNode, type GraphQLSchema, parse, print, validate, visit } from 'graphql';
import type { Question } from './duel.js';

/** So many questions are asked at most to make one smaller. */
const mostTries = 150;

/** The smallest question that is like this one: parts are taken out of its query as long as it stays interesting. */
export async function shrink(
  schema: GraphQLSchema,
  question: Question,
  isInteresting: (question: Question) => Promise<boolean>,
): Promise<Question> {
  let best = question;
  let tries = 0;
  for (let index = 0; tries < mostTries; ) {
    const smaller = without(parse(best.query), index);
    if (!smaller) break;
    const candidate = { ...best, query: print(smaller) };
    const isValid = isWhole(smaller) && validate(schema, smaller).length === 0;
    if (isValid) tries++;
    if (isValid && (await isInteresting(candidate))) best = candidate;
    else index++;
  }
  return best;
}

/** Whether it still has something, and every selection of it has. */
function isWhole(document: DocumentNode): boolean {
  let isEmpty = document.definitions.length === 0;
  visit(document, {
    SelectionSet({ selections }) {
      isEmpty ||= selections.length === 0;
    },
  });
  return !isEmpty;
}

/** The document without the part of this number, and without what nothing uses then; null where there is no such part. */
function without(document: DocumentNode, number: number): DocumentNode | null {
  let count = 0;
  // The first part found is taken out, with all in it; what comes after it is counted no more.
  const takeOut = () => (count++ === number ? null : undefined);
  const smaller: DocumentNode = visit(document, {
    Field: takeOut,
    InlineFragment: takeOut,
    FragmentSpread: takeOut,
    Directive: takeOut,
    Argument: takeOut,
  });
  return count > number ? withoutUnused(smaller) : null;
}

/** The document without the fragments and variables that nothing uses. */
export function withoutUnused(document: DocumentNode): DocumentNode {
  const used = new Set<string>();
  visit(document, {
    FragmentSpread: ({ name }) => void used.add(`...${name.value}`),
    VariableDefinition: () => false,
    Variable: ({ name }) => void used.add(`$${name.value}`),
  });
  let dropped = false;
  const drop = (name: string) => {
    if (used.has(name)) return undefined;
    dropped = true;
    return null;
  };
  const smaller: DocumentNode = visit(document, {
    FragmentDefinition: ({ name }) => drop(`...${name.value}`),
    VariableDefinition: ({ variable }) => drop(`$${variable.name.value}`),
  });
  return dropped ? withoutUnused(smaller) : smaller;
}
