import {
  type DirectiveNode,
  type DocumentNode,
  getOperationAST,
  Kind,
  parse,
  print,
  type SelectionNode,
  type SelectionSetNode,
  type ValueNode,
  visit,
} from 'graphql';
import { withConditionsSettled, withoutLeftOut } from '../../execute/planning/plannable.js';
import type { Question } from './duel.js';
import { withoutUnused } from './shrink.js';

export const hasConditions = ({ query }: Question): boolean => /@(skip|include)/.test(query);

/**
 * The same question without `@skip` and `@include`, and without what they leave out. By section 6.3.2 of the GraphQL
 * spec it has the same answer, but for a `__typename` where nothing is left of a selection. Apollo's plans have one
 * part for what is there and for what is not, and where the one requires what the other does not, or all that is
 * selected of a field has a condition, too, it waits for what nobody fetches, tells of errors of what nobody asked for,
 * or does not ask at all.
 */
export function unconditional({ query, variables = {}, ...circumstances }: Question): Question {
  const document = parse(query);
  const isTrue = truthOf(document, variables);
  const leavesOut = ({ name, arguments: [condition] = [] }: DirectiveNode) =>
    name.value === 'skip' ? isTrue(condition?.value) : name.value === 'include' && !isTrue(condition?.value);
  const isIn = ({ directives = [] }: SelectionNode) => !directives.some(leavesOut);
  const without: DocumentNode = visit(document, {
    SelectionSet: ({ selections, ...set }): SelectionSetNode => {
      const left = selections.filter(isIn);
      return { ...set, selections: left.length > 0 ? left : [typename] };
    },
    Directive: ({ name }) => (name.value === 'skip' || name.value === 'include' ? null : undefined),
  });
  return { ...circumstances, query: print(withoutUnused(without)), variables };
}

/**
 * The same question with the conditions of fields on fragments around them, and without what is left out whatever the
 * variables are, which means the same. Our executor shows the planner some fields like this (see plannable.ts), so that
 * a plan of ours may ask others for an entity than Apollo's does, and a fault that one plan meets is not met by the other.
 */
export function conditionsApart({ query, ...circumstances }: Question): Question {
  const apart: DocumentNode = visit(withoutLeftOut(parse(query)), {
    Field: ({ directives = [], ...field }): SelectionNode | undefined =>
      directives.length === 0
        ? undefined
        : {
            kind: Kind.INLINE_FRAGMENT,
            directives,
            selectionSet: { kind: Kind.SELECTION_SET, selections: [field] },
          },
  });
  return { ...circumstances, query: print(withoutUnused(apart)) };
}

/**
 * The same question without what is left out, and without fragments that are empty then: nobody has to be asked for the
 * type of an object for those, and one whose type is hidden is there as long as nobody tells.
 */
export function settled({ query, variables = {}, ...circumstances }: Question): Question {
  const document = parse(query);
  const isTrue = truthOf(document, variables);
  const values = new Map(
    (getOperationAST(document)?.variableDefinitions ?? []).map(({ variable }) => [
      variable.name.value,
      isTrue(variable),
    ]),
  );
  const left = withoutUnused(withoutLeftOut(withConditionsSettled(document, values)));
  return { ...circumstances, query: print(left), variables };
}

/** Whether the value of a condition is true, by the variables given and the defaults of others. */
export function truthOf(document: DocumentNode, variables: Record<string, unknown>) {
  const defaults = new Map(
    getOperationAST(document)?.variableDefinitions?.map((one) => [one.variable.name.value, one.defaultValue]),
  );
  return function isTrue(value: ValueNode | undefined): boolean {
    if (value?.kind !== Kind.VARIABLE) return value?.kind === Kind.BOOLEAN && value.value;
    const name = value.name.value;
    return Object.hasOwn(variables, name) ? variables[name] === true : isTrue(defaults.get(name));
  };
}

const typename: SelectionNode = { kind: Kind.FIELD, name: { kind: Kind.NAME, value: '__typename' } };
