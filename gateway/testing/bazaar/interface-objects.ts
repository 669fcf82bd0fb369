import { type ExecutionResult, Kind, parse } from 'graphql';
import { bazaarSdl } from './supergraph.js';

/** The interfaces that are objects to some subgraph, which cannot tell what its objects are. */
const interfaceObjects: ReadonlySet<unknown> = new Set(
  Object.values(bazaarSdl).flatMap((sdl) =>
    parse(sdl).definitions.flatMap((definition) =>
      definition.kind === Kind.OBJECT_TYPE_DEFINITION &&
      definition.directives?.some(({ name }) => name.value === 'interfaceObject')
        ? [definition.name.value]
        : [],
    ),
  ),
);

/** Takes the name of an interface from the entities that were asked for: whoever asked knows better what they are. */
export function withoutInterfaceNames(result: ExecutionResult): ExecutionResult {
  const entities = result.data?.['_entities'];
  for (const entity of Array.isArray(entities) ? entities : []) {
    if (entity && interfaceObjects.has(entity['__typename'])) delete entity['__typename'];
  }
  return result;
}
