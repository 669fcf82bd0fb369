import {
  type Directive,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  isScalarType,
  type Schema,
  type SchemaElement,
} from '@apollo/federation-internals';

/** How long a list may become: `@listSize`. */
export interface ListSize {
  assumedSize: number | undefined;
  /** The arguments that say how long it is; the largest that is given counts. */
  slicingArguments: readonly string[];
  /** The fields of the object that have that length; the field itself where there are none. */
  sizedFields: readonly string[];
}

/** What a supergraph says of what its fields cost, by coordinates: `Type`, `Type.field`, `Type.field(argument:)`. */
export interface CostRules {
  weights: ReadonlyMap<string, number>;
  sizes: ReadonlyMap<string, ListSize>;
}

const identity = 'https://specs.apollo.dev/cost';

/** Reads `@cost` and `@listSize` of a supergraph, by whatever names they go there. */
export function costRulesOf(schema: Schema): CostRules {
  const weights = new Map<string, number>();
  const sizes = new Map<string, ListSize>();
  const feature = schema.coreFeatures?.getByIdentity(identity);
  if (!feature) return { weights, sizes };
  const [cost, listSize] = ['cost', 'listSize'].map((name) => feature.directiveNameInSchema(name));

  // biome-ignore lint/suspicious/noExplicitAny: elements of all kinds
  const argumentsOf = (element: SchemaElement<any, any>, name: string | undefined) =>
    (element.appliedDirectives as readonly Directive[])
      .find((directive) => directive.name === name)
      ?.arguments();
  // biome-ignore lint/suspicious/noExplicitAny: elements of all kinds
  function weigh(element: SchemaElement<any, any>, coordinate: string): void {
    const given = argumentsOf(element, cost);
    if (given) weights.set(coordinate, Number(given['weight']));
  }

  for (const type of schema.types()) {
    if (isObjectType(type) || isScalarType(type) || isEnumType(type)) weigh(type, type.name);
    if (isInputObjectType(type)) for (const field of type.fields()) weigh(field, field.coordinate);
    if (!isObjectType(type) && !isInterfaceType(type)) continue;
    for (const field of type.fields()) {
      weigh(field, field.coordinate);
      for (const argument of field.arguments()) weigh(argument, argument.coordinate);
      const given = argumentsOf(field, listSize);
      if (given) sizes.set(field.coordinate, sizeOf(given));
    }
  }
  return { weights, sizes };
}

const sizeOf = (given: Readonly<Record<string, unknown>>): ListSize => ({
  assumedSize: typeof given['assumedSize'] === 'number' ? given['assumedSize'] : undefined,
  slicingArguments: (given['slicingArguments'] as string[] | null | undefined) ?? [],
  sizedFields: (given['sizedFields'] as string[] | null | undefined) ?? [],
});
