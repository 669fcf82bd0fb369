import { type ExecutionResult, Kind, parse } from 'graphql';

/** The types of a subgraph that stand for an interface of the supergraph: it cannot tell what its objects are. */
export function interfaceObjectsOf(sdl: string): ReadonlySet<string> {
  return new Set(
    parse(sdl).definitions.flatMap((definition) =>
      definition.kind === Kind.OBJECT_TYPE_DEFINITION &&
      definition.directives?.some(({ name }) => name.value === 'interfaceObject')
        ? [definition.name.value]
        : [],
    ),
  );
}

/** Takes the name of an interface from the entities that were asked for: whoever asked knows better what they are. */
export function withoutInterfaceNames(
  result: ExecutionResult,
  interfaceObjects: ReadonlySet<string>,
): ExecutionResult {
  const entities = result.data?.['_entities'];
  for (const entity of Array.isArray(entities) ? entities : []) {
    if (entity && interfaceObjects.has(entity['__typename'])) delete entity['__typename'];
  }
  return result;
}
