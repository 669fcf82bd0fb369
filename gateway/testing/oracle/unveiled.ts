import {
  type DocumentNode,
  type FieldNode,
  type GraphQLCompositeType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  getOperationAST,
  isAbstractType,
  isCompositeType,
  isObjectType,
  Kind,
  parse,
  print,
  type SelectionNode,
  type SelectionSetNode,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import { withMembersApart } from '../../execute/planning/members.js';
import type { Veils } from '../../execute/planning/veils.js';
import { collectFields, operationOf } from '../../execute/selections.js';
import type { Answer } from '../gateway.js';
import { truthOf } from './conditions.js';
import type { Question } from './duel.js';
import { withoutUnused } from './shrink.js';

/** Answers to a question that were asked for in other words. */
export interface Unveiled {
  question: Question;
  /** What of an answer was asked for. */
  pruned(answer: Answer): Answer;
}

/** Where a type is told that the question itself need not ask for. */
const told = 'q__type';

/**
 * The same question in which what a subgraph makes out of others' fields for all objects of an interface is asked of
 * all of them. ApolloGateway cannot plan it of some types alone, or forgets the rest of the others.
 */
export function unveiled(schema: GraphQLSchema, veils: Veils, question: Question): Unveiled {
  const document = parse(question.query);
  const types = new TypeInfo(schema);
  const typed: DocumentNode = visit(
    withMembersApart(document, schema, seeing(veils)),
    visitWithTypeInfo(types, {
      // Elsewhere nobody has to know, and an object whose type is hidden is there as long as nobody tells.
      SelectionSet: {
        leave: (set): SelectionSetNode | undefined =>
          isAbstractType(types.getParentType()) && (question.asksTypes || set.selections.some(hasType))
            ? { ...set, selections: [typeName, ...set.selections] }
            : undefined,
      },
    }),
  );
  return {
    question: {
      ...question,
      query: print(withoutUnused(withMembersApart(typed, schema, blindly(schema, veils, question)))),
    },
    pruned: ({ status, body }) => ({
      status,
      body: { ...body, ...('data' in body && { data: prune(schema, document, question, body.data) }) },
    }),
  };
}

/** Whether a question asks for such fields of some types alone. */
export function isVeiled(schema: GraphQLSchema, veils: Veils, question: Question): boolean {
  const [some, all] = [seeing(veils), blindly(schema, veils, question)].map((known) =>
    print(withMembersApart(parse(question.query), schema, known)),
  );
  return some !== all;
}

const seeing = (veils: Veils): Veils => ({ ...veils, blind: new Map() });

/** As if no subgraph knew the types of such interfaces, or of any that are abstract. */
function blindly(schema: GraphQLSchema, veils: Veils, { asksAll = false }: Question): Veils {
  const isBlind = (place: string): boolean => {
    const [type = '', field = ''] = place.split('.');
    const holder = schema.getType(type);
    const found =
      'getFields' in (holder ?? {}) ? (holder as GraphQLObjectType).getFields()[field] : undefined;
    return found !== undefined && veils.interfaces.has(getNamedType(found.type).name);
  };
  return { ...veils, blind: { get: (place) => (asksAll || isBlind(place) ? everybody : undefined) } };
}

const everybody: ReadonlySet<string> = new Set(['']);

function prune(
  schema: GraphQLSchema,
  document: DocumentNode,
  { variables = {} }: Question,
  data: unknown,
): unknown {
  const operation = getOperationAST(document);
  if (!operation) return data;
  const { fragments } = operationOf(document, operation.name?.value);
  const isTrue = truthOf(document, variables);
  const isIncluded = ({ directives = [] }: { directives?: FieldNode['directives'] }): boolean =>
    directives.every(
      ({ name, arguments: given }) => isTrue(given?.[0]?.value) === (name.value === 'include'),
    );

  function inner(value: unknown, type: GraphQLCompositeType, sets: readonly SelectionSetNode[]): unknown {
    if (Array.isArray(value)) return value.map((item) => inner(item, type, sets));
    if (typeof value !== 'object' || value === null) return value;
    const object = value as Record<string, unknown>;
    const own = schema.getType(String(object[told]));
    const known = isObjectType(own) ? own : type;
    const fields = collectFields(schema, known, sets, { fragments, isIncluded });
    return Object.fromEntries(
      [...fields].flatMap(([name, nodes]) => {
        if (!Object.hasOwn(object, name)) return [];
        const field = 'getFields' in known ? known.getFields()[nodes[0]?.name.value ?? ''] : undefined;
        const below = field && getNamedType(field.type);
        const deeper = nodes.flatMap(({ selectionSet }) => selectionSet ?? []);
        return [[name, isCompositeType(below) ? inner(object[name], below, deeper) : object[name]]];
      }),
    );
  }
  const root = schema.getRootType(operation.operation);
  return root ? inner(data, root, [operation.selectionSet]) : data;
}

const hasType = (selection: SelectionNode): boolean =>
  selection.kind === Kind.INLINE_FRAGMENT && selection.typeCondition !== undefined;

const typeName: FieldNode = {
  kind: Kind.FIELD,
  alias: { kind: Kind.NAME, value: told },
  name: { kind: Kind.NAME, value: '__typename' },
};
