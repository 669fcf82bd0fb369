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

/** Takes the name of an interface from entities, and from all within: whoever asked may know better what they are. */
export function hideInterfaceNames(result: ExecutionResult, isDeep: boolean): void {
  const entities = result.data?.['_entities'];
  for (const entity of Array.isArray(entities) ? entities : []) hide(entity, isDeep);
}

function hide(value: unknown, isDeep: boolean): void {
  if (typeof value !== 'object' || value === null) return;
  if ('__typename' in value && interfaceObjects.has(value.__typename)) delete value.__typename;
  if (isDeep) for (const inner of Object.values(value)) hide(inner, isDeep);
}
