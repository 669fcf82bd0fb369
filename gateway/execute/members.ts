import {
  type DocumentNode,
  type GraphQLSchema,
  isAbstractType,
  isUnionType,
  Kind,
  type SelectionNode,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';

/**
 * A document in which a fragment on another interface or union, within an interface, stands once for each object type that
 * both have. It means the same; Apollo's planner cannot plan the other where a subgraph has the interface as an object.
 */
export function withMembersApart(document: DocumentNode, schema: GraphQLSchema): DocumentNode {
  const types = new TypeInfo(schema);
  const conditions = new Map(
    document.definitions.flatMap((one) =>
      one.kind === Kind.FRAGMENT_DEFINITION ? [[one.name.value, one.typeCondition.name.value]] : [],
    ),
  );
  const conditionOf = (selection: SelectionNode): string | undefined =>
    selection.kind === Kind.INLINE_FRAGMENT
      ? selection.typeCondition?.name.value
      : selection.kind === Kind.FRAGMENT_SPREAD
        ? conditions.get(selection.name.value)
        : undefined;

  function apart(selection: SelectionNode): readonly SelectionNode[] {
    const parent = types.getParentType();
    const wanted = schema.getType(conditionOf(selection) ?? '');
    if (!isAbstractType(parent) || isUnionType(parent) || !isAbstractType(wanted) || wanted === parent)
      return [selection];
    const { directives = [], ...inner } = selection;
    return schema.getPossibleTypes(parent).flatMap((type) =>
      schema.isSubType(wanted, type)
        ? {
            kind: Kind.INLINE_FRAGMENT,
            typeCondition: { kind: Kind.NAMED_TYPE, name: { kind: Kind.NAME, value: type.name } },
            directives,
            selectionSet: { kind: Kind.SELECTION_SET, selections: [inner as SelectionNode] },
          }
        : [],
    );
  }

  return visit(
    document,
    visitWithTypeInfo(types, {
      SelectionSet: { leave: (set) => ({ ...set, selections: set.selections.flatMap(apart) }) },
    }),
  );
}
