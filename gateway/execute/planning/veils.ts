import {
  BREAK,
  type DirectiveNode,
  type DocumentNode,
  type FieldDefinitionNode,
  type GraphQLSchema,
  type InterfaceTypeDefinitionNode,
  Kind,
  type ObjectTypeDefinitionNode,
  TypeInfo,
  type TypeNode,
  visit,
  visitWithTypeInfo,
} from 'graphql';

/** What a supergraph has of interface objects: interfaces that are objects to some subgraph, which knows no types of theirs. */
export interface Veils {
  /** By the name of such an interface: the fields that a subgraph makes out of others' fields, and which one does. */
  interfaces: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** The names of the object types that are of such an interface. */
  types: ReadonlySet<string>;
  /** By `Type.field`: which subgraphs answer it with objects whose types they do not know. */
  blind: Pick<ReadonlyMap<string, ReadonlySet<string>>, 'get'>;
}

type Definition = ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode;

/** Reads the interface objects out of a supergraph's SDL. Subgraphs are called as its enum of them calls them. */
export function veilsOf({ definitions }: DocumentNode): Veils {
  const types = definitions.filter(
    (one): one is Definition =>
      one.kind === Kind.OBJECT_TYPE_DEFINITION || one.kind === Kind.INTERFACE_TYPE_DEFINITION,
  );
  /** Which subgraphs have an interface as an object. */
  const veils = new Map<string, ReadonlySet<string>>();
  for (const { name, directives } of types) {
    const graphs = joins(directives, 'join__type').filter(({ isInterfaceObject }) => isInterfaceObject);
    if (graphs.length > 0) veils.set(name.value, new Set(graphs.map(({ graph }) => graph)));
  }
  const blind = new Map<string, ReadonlySet<string>>();
  for (const type of veils.size > 0 ? types : []) {
    for (const field of type.fields ?? []) {
      const veil = veils.get(namedType(field.type));
      const found =
        veil &&
        holdersOf(type, types)
          .flatMap((holder) => graphsIn(holder, field, types))
          .filter((graph) => veil.has(graph));
      if (found && found.length > 0) blind.set(`${type.name.value}.${field.name.value}`, new Set(found));
    }
  }
  return {
    interfaces: new Map(
      types.flatMap(({ name, fields = [] }) =>
        veils.has(name.value) ? [[name.value, new Map(fields.flatMap(demandIn))] as const] : [],
      ),
    ),
    types: new Set(
      types.flatMap(({ kind, name, interfaces = [] }) =>
        kind === Kind.OBJECT_TYPE_DEFINITION && interfaces.some((one) => veils.has(one.name.value))
          ? name.value
          : [],
      ),
    ),
    blind,
  };
}

/** Whether a document selects anything of an object that is of such an interface. */
export function meetsVeils(
  document: DocumentNode,
  schema: GraphQLSchema,
  { interfaces, types }: Pick<Veils, 'interfaces' | 'types'>,
): boolean {
  if (interfaces.size === 0) return false;
  const known = new TypeInfo(schema);
  let isMet = false;
  visit(
    document,
    visitWithTypeInfo(known, {
      SelectionSet() {
        const name = known.getParentType()?.name ?? '';
        isMet = interfaces.has(name) || types.has(name);
        return isMet ? BREAK : undefined;
      },
    }),
  );
  return isMet;
}

const demandIn = ({ name, directives }: FieldDefinitionNode): [string, string][] =>
  joins(directives, 'join__field').flatMap(({ graph, requires }) => (requires ? [[name.value, graph]] : []));

/** Who may have the fields of a type: one of an interface is answered as the field of an object that is there. */
const holdersOf = (type: Definition, types: readonly Definition[]): Definition[] =>
  type.kind === Kind.INTERFACE_TYPE_DEFINITION
    ? [
        type,
        ...types.filter(({ interfaces }) => interfaces?.some(({ name }) => name.value === type.name.value)),
      ]
    : [type];

const graphsIn = (
  holder: Definition,
  { name, type }: FieldDefinitionNode,
  types: readonly Definition[],
): string[] =>
  (holder.fields ?? [])
    .filter((one) => one.name.value === name.value && namedType(one.type) === namedType(type))
    .flatMap((one) => graphsOf(one, holder, types));

/** Which subgraphs answer a field: all that have the type, or those that the field says; what an interface object adds, its own. */
function graphsOf(field: FieldDefinitionNode, type: Definition, types: readonly Definition[]): string[] {
  const own = joins(field.directives, 'join__field');
  if (own.length === 0) return joins(type.directives, 'join__type').map(({ graph }) => graph);
  if (own.some(({ graph }) => graph !== '')) return own.map(({ graph }) => graph);
  const names = new Set(type.interfaces?.map(({ name }) => name.value));
  return types
    .filter(({ name }) => names.has(name.value))
    .flatMap(({ fields = [] }) => fields.filter(({ name }) => name.value === field.name.value))
    .flatMap(({ directives }) => joins(directives, 'join__field').map(({ graph }) => graph));
}

function joins(directives: readonly DirectiveNode[] = [], directive: string) {
  return directives
    .filter(({ name }) => name.value === directive)
    .map(({ arguments: given = [] }) => {
      const argument = (called: string) => given.find(({ name }) => name.value === called)?.value;
      const [graph, isInterfaceObject] = [argument('graph'), argument('isInterfaceObject')];
      return {
        graph: graph?.kind === Kind.ENUM ? graph.value : '',
        isInterfaceObject: isInterfaceObject?.kind === Kind.BOOLEAN && isInterfaceObject.value,
        requires: argument('requires') !== undefined,
      };
    });
}

const namedType = (type: TypeNode): string =>
  type.kind === Kind.NAMED_TYPE ? type.name.value : namedType(type.type);
