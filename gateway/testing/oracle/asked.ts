import {
  type FieldNode,
  getOperationAST,
  Kind,
  parse,
  type SelectionNode,
  type SelectionSetNode,
  type ValueNode,
} from 'graphql';
import type { Question } from './duel.js';

/** A field that a question asks for, wherever it does. */
export interface Asked {
  /** Response names, without the places of lists. */
  path: readonly string[];
  node: FieldNode;
  /** Whether a condition leaves it out: its own, or that of a fragment that has it in the same object. */
  isLeftOut: boolean;
}

/** All that the text of a question asks for; fragments wherever they are used, and what conditions leave out as well. */
export function askedBy({ query, variables = {} }: Question): Asked[] {
  const document = parse(query);
  const fragments = new Map(
    document.definitions.flatMap((one) =>
      one.kind === Kind.FRAGMENT_DEFINITION ? [[one.name.value, one] as const] : [],
    ),
  );
  const operation = getOperationAST(document);
  const defaults = new Map(
    operation?.variableDefinitions?.map(({ variable, defaultValue }) => [variable.name.value, defaultValue]),
  );
  const isTrue = (value: ValueNode | undefined): boolean => {
    if (value?.kind !== Kind.VARIABLE) return value?.kind === Kind.BOOLEAN && value.value;
    const name = value.name.value;
    return Object.hasOwn(variables, name) ? variables[name] === true : isTrue(defaults.get(name));
  };
  const leavesOut = ({ directives = [] }: SelectionNode): boolean =>
    directives.some(({ name, arguments: given = [] }) =>
      name.value === 'skip' ? isTrue(given[0]?.value) : name.value === 'include' && !isTrue(given[0]?.value),
    );

  function within(set: SelectionSetNode, path: readonly string[], isOut: boolean): Asked[] {
    return set.selections.flatMap((node) => {
      const isLeftOut = isOut || leavesOut(node);
      if (node.kind === Kind.FIELD) {
        const own = [...path, (node.alias ?? node.name).value];
        return [
          { path: own, node, isLeftOut },
          ...(node.selectionSet ? within(node.selectionSet, own, false) : []),
        ];
      }
      const inner = (node.kind === Kind.FRAGMENT_SPREAD ? fragments.get(node.name.value) : node)
        ?.selectionSet;
      return inner ? within(inner, path, isLeftOut) : [];
    });
  }
  return operation ? within(operation.selectionSet, [], false) : [];
}
