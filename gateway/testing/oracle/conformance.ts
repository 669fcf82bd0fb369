import {
  type FieldNode,
  type FragmentDefinitionNode,
  GraphQLError,
  GraphQLIncludeDirective,
  type GraphQLInterfaceType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  GraphQLSkipDirective,
  getDirectiveValues,
  getOperationAST,
  getVariableValues,
  isAbstractType,
  isCompositeType,
  isEnumType,
  isInterfaceType,
  isListType,
  isNonNullType,
  isScalarType,
  Kind,
  parse,
  type SelectionSetNode,
  specifiedScalarTypes,
  typeFromAST,
} from 'graphql';
import { fragmentsOf } from '../../execute/selections.js';
import type { Answer } from '../gateway.js';
import type { Question } from './duel.js';

type Path = readonly (string | number)[];

interface Reader {
  schema: GraphQLSchema;
  isFaulty: boolean;
  fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  variables: Record<string, unknown>;
}

/**
 * What of an answer GraphQL would not allow, by its sections 6.3 and 6.4: fields that were not asked for, that are
 * missing or in another order, values that their type does not have, and null where there may be none.
 */
export function complaints(
  schema: GraphQLSchema,
  { query, variables, faults }: Question,
  { body }: Answer,
): string[] {
  const document = parse(query);
  const operation = getOperationAST(document);
  if (!operation || body.data === undefined || body.data === null) return [];
  const { coerced = {} } = getVariableValues(schema, operation.variableDefinitions ?? [], variables ?? {});
  const reader: Reader = {
    schema,
    isFaulty: faults !== undefined,
    fragments: fragmentsOf(document),
    variables: coerced,
  };
  const root = schema.getRootType(operation.operation) as GraphQLObjectType;
  try {
    return complaintsOfObject(reader, root, [operation.selectionSet], body.data, []);
  } catch (error) {
    // A condition that is null: there is nothing to answer.
    if (error instanceof GraphQLError) return [error.message];
    throw error;
  }
}

/** Whether a path leads to something in an answer, or to what would stand under a null. */
export function leadsSomewhere(data: unknown, path: readonly unknown[]): boolean {
  let value = data;
  for (const key of path) {
    if (value === null) return true;
    if (typeof value !== 'object' || !Object.hasOwn(value as object, key as PropertyKey)) return false;
    value = (value as Record<PropertyKey, unknown>)[key as PropertyKey];
  }
  return true;
}

function complaintsOfValue(
  reader: Reader,
  type: GraphQLOutputType,
  fields: readonly FieldNode[],
  value: unknown,
  path: Path,
): string[] {
  const at = path.join('.');
  if (isNonNullType(type)) {
    return value === null
      ? [`null at ${at} of type ${type}`]
      : complaintsOfValue(reader, type.ofType, fields, value, path);
  }
  if (value === null) return [];
  if (isListType(type)) {
    if (!Array.isArray(value)) return [`no list at ${at}`];
    return value.flatMap((inner, index) =>
      complaintsOfValue(reader, type.ofType, fields, inner, [...path, index]),
    );
  }
  if (isCompositeType(type)) {
    const selections = fields.flatMap(({ selectionSet }) => selectionSet ?? []);
    // Where a fault keeps its type from everybody, an object has what was asked of any of its kind.
    const untold = reader.isFaulty && isInterfaceType(type) ? [type] : [];
    const types = isAbstractType(type) ? [...reader.schema.getPossibleTypes(type), ...untold] : [type];
    const all = types.map((one) => complaintsOfObject(reader, one, selections, value, path));
    // Which type it is cannot always be seen: one that fits is enough.
    return all.sort((a, b) => a.length - b.length)[0] ?? [`no type for ${at}`];
  }
  if (isEnumType(type))
    return typeof value === 'string' && type.getValue(value)
      ? []
      : [`${JSON.stringify(value)} at ${at}, which ${type} has not`];
  if (!isScalarType(type) || !specifiedScalarTypes.some(({ name }) => name === type.name)) return [];
  if (type.name === 'ID' && typeof value === 'number') return [`${value} at ${at}, where an ID is a text`];
  try {
    return type.serialize(value) === value ? [] : [`${JSON.stringify(value)} at ${at}, which is no ${type}`];
  } catch {
    return [`${JSON.stringify(value)} at ${at}, which is no ${type}`];
  }
}

function complaintsOfObject(
  reader: Reader,
  type: GraphQLObjectType | GraphQLInterfaceType,
  selections: readonly SelectionSetNode[],
  value: unknown,
  path: Path,
): string[] {
  const at = path.join('.');
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [`no object at ${at}`];
  const expected = new Map<string, FieldNode[]>();
  for (const one of selections) collect(reader, type, one, expected);
  const [given, wanted] = [Object.keys(value).join(), [...expected.keys()].join()];
  if (given !== wanted) return [`fields at ${at} of ${type}: ${given} in place of ${wanted}`];
  return [...expected].flatMap(([name, fields]) => {
    const [field] = fields;
    const inner = (value as Record<string, unknown>)[name];
    if (!field || field.name.value.startsWith('__')) {
      return field?.name.value === '__typename' && inner !== type.name
        ? [`${JSON.stringify(inner)} at ${at}, a ${type}`]
        : [];
    }
    const known = type.getFields()[field.name.value];
    return known ? complaintsOfValue(reader, known.type, fields, inner, [...path, name]) : [];
  });
}

/** Section 6.3.2, CollectFields. */
function collect(
  reader: Reader,
  type: GraphQLObjectType | GraphQLInterfaceType,
  selections: SelectionSetNode,
  found: Map<string, FieldNode[]>,
): void {
  for (const selection of selections.selections) {
    const { skip, include } = {
      skip: getDirectiveValues(GraphQLSkipDirective, selection, reader.variables)?.['if'],
      include: getDirectiveValues(GraphQLIncludeDirective, selection, reader.variables)?.['if'],
    };
    if (skip === true || include === false) continue;
    if (selection.kind === Kind.FIELD) {
      const name = (selection.alias ?? selection.name).value;
      found.set(name, [...(found.get(name) ?? []), selection]);
      continue;
    }
    const fragment =
      selection.kind === Kind.FRAGMENT_SPREAD ? reader.fragments.get(selection.name.value) : selection;
    if (!fragment) continue;
    const condition = fragment.typeCondition && typeFromAST(reader.schema, fragment.typeCondition);
    const fits =
      !condition ||
      condition === type ||
      (isAbstractType(condition) && reader.schema.isSubType(condition, type));
    if (fits) collect(reader, type, fragment.selectionSet, found);
  }
}
