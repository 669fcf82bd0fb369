import {
  baseType,
  type FieldDefinition,
  type InterfaceType,
  isInterfaceType,
  isLeafType,
  isObjectType,
  type ObjectType,
  type Schema,
  type Supergraph,
} from '@apollo/federation-internals';

/** Names the feature whose directives tell what may be shared and resumed, whatever a supergraph calls them. */
const identity = 'https://doorstep.example/live';

/** How a subscription is taken up again where it was left. */
export interface Resumable {
  /** The argument that takes the last cursor. */
  argument: string;
  /** The argument's type, as SDL. */
  argumentType: string;
  /** The field of each event that tells its cursor. */
  cursor: string;
}

/** What a supergraph says of its subscriptions. */
export interface LiveRules {
  /** By the name of the subscription's field. */
  resumable: ReadonlyMap<string, Resumable>;
  /** Whether a field gives the same to everybody who may see it. */
  isShared(type: string, field: string): boolean;
}

type Field = FieldDefinition<ObjectType | InterfaceType>;

/**
 * Reads `@resumable` and `@shared` of a supergraph.
 * @throws Error where one of them could not be kept: an argument or a cursor that is not there, say
 */
export function liveRulesOf(supergraph: Supergraph): LiveRules {
  const { schema } = supergraph;
  const feature = schema.coreFeatures?.getByIdentity(identity);
  const resumable = new Map<string, Resumable>();
  if (!feature) return { resumable, isShared: () => false };
  const resumableName = feature.directiveNameInSchema('resumable');
  for (const field of fieldsOf(schema)) {
    const given = directiveOf(field, resumableName);
    if (given) resumable.set(field.name, checked(supergraph, field, given));
  }
  const shared = sharedFields(schema, feature.directiveNameInSchema('shared'));
  return { resumable, isShared: (type, field) => shared.has(`${type}.${field}`) };
}

const fieldsOf = (schema: Schema): Field[] =>
  schema
    .types()
    .flatMap((type): readonly Field[] => (isObjectType(type) || isInterfaceType(type) ? type.fields() : []));

const directiveOf = (field: Field, name: string): Readonly<Record<string, unknown>> | undefined =>
  field.appliedDirectives.find((directive) => directive.name === name)?.arguments();

function checked(supergraph: Supergraph, field: Field, given: Readonly<Record<string, unknown>>): Resumable {
  const refuse = (why: string): never => {
    throw new Error(`the supergraph marks ${field.coordinate} as @resumable, but ${why}`);
  };
  if (field.parent !== supergraph.schema.schemaDefinition.rootType('subscription'))
    return refuse('it is no subscription');
  const argument = field.argument(String(given['argument']));
  if (!argument) return refuse(`it has no argument '${String(given['argument'])}'`);
  if (argument.isRequired()) return refuse(`its argument '${argument.name}' must be given`);
  if (argument.defaultValue !== undefined)
    return refuse(`its argument '${argument.name}' has a default value`);
  const cursor = String(given['cursor']);
  for (const subgraph of supergraph.subgraphs()) {
    const there = subgraph.schema.schemaDefinition.rootType('subscription')?.field(field.name);
    if (!there) continue;
    const event = there.type && baseType(there.type);
    const found = event && (isObjectType(event) || isInterfaceType(event)) ? event.field(cursor) : undefined;
    if (!found?.type)
      return refuse(`its events have no field '${cursor}' in the subgraph '${subgraph.name}'`);
    if (!isLeafType(baseType(found.type))) return refuse(`the field '${cursor}' of its events is no scalar`);
    if (found.arguments().some((each) => each.isRequired()))
      return refuse(`the field '${cursor}' of its events needs arguments`);
  }
  return { argument: argument.name, argumentType: String(argument.type), cursor };
}

/** A field of an interface is as shared as it is in every object that may stand there. */
function sharedFields(schema: Schema, directive: string): ReadonlySet<string> {
  const shared = new Set(
    fieldsOf(schema)
      .filter((field) => directiveOf(field, directive))
      .map(({ coordinate }) => coordinate),
  );
  for (const type of schema.interfaceTypes()) {
    for (const { name, coordinate } of type.fields()) {
      if (!type.possibleRuntimeTypes().every((object) => shared.has(`${object.name}.${name}`)))
        shared.delete(coordinate);
    }
  }
  return shared;
}
