import {
  defaultFieldResolver,
  type FieldNode,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  getNullableType,
  isLeafType,
  SchemaMetaFieldDef,
  TypeMetaFieldDef,
  TypeNameMetaFieldDef,
} from 'graphql';
import { argumentsOf } from './arguments.js';
import { completer, type FieldPlan, failing } from './complete.js';
import type { Plan } from './plan.js';
import { isPromise, type Path, type Run } from './run.js';

type Definition = GraphQLField<unknown, unknown>;

/** Where a leaf stands, which never looks. */
const nowhere: Path = { prev: undefined, key: '', typename: undefined };

/** Resolves one field of a source: its value in the answer, or a promise of it. Fails only where it may not be null. */
export type ResolveField = (run: Run, source: unknown, parent: Path | undefined) => unknown;

/** @throws Error where the type has no such field, which validation refuses */
export function compileField(
  plan: Plan,
  type: GraphQLObjectType,
  key: string,
  nodes: readonly FieldNode[],
): ResolveField {
  const node = nodes[0] as FieldNode;
  const definition = definitionOf(plan.schema, type, node.name.value);
  const { name, type: returnType, resolve } = definition;
  const { isStatic, values } = argumentsOf(definition, node);
  const field: FieldPlan = { plan, nodes, label: `${type.name}.${name}`, info };
  const complete = completer(returnType, field);
  const fail = failing(nodes, returnType);
  const isLeaf = isLeafType(getNullableType(returnType));
  const isPlainProperty = !resolve && isStatic && isLeaf;
  const pathIn = (parent: Path | undefined): Path => ({ prev: parent, key, typename: type.name });

  function info(run: Run, path: Path): GraphQLResolveInfo {
    return {
      fieldName: name,
      fieldNodes: nodes,
      returnType,
      parentType: type,
      path: path as GraphQLResolveInfo['path'],
      schema: plan.schema,
      fragments: plan.fragments,
      rootValue: run.rootValue,
      operation: plan.operation,
      variableValues: run.variables,
    };
  }

  function resolveField(run: Run, source: unknown, parent: Path | undefined): unknown {
    const path = pathIn(parent);
    const about = info(run, path);
    try {
      const value = (resolve ?? defaultFieldResolver)(source, values(run.variables), run.contextValue, about);
      const done = isPromise(value)
        ? value.then((resolved) => complete(run, resolved, path))
        : complete(run, value, path);
      return isPromise(done) ? done.then(undefined, (error) => fail(run, error, path)) : done;
    } catch (error) {
      return fail(run, error, path);
    }
  }

  /** Most fields are a property and no more, which needs neither path nor info, but to tell an error. */
  function readProperty(run: Run, source: unknown, parent: Path | undefined): unknown {
    try {
      const value =
        (typeof source === 'object' && source !== null) || typeof source === 'function'
          ? (source as { [name: string]: unknown })[name]
          : undefined;
      if (typeof value === 'function') return resolveField(run, source, parent);
      const done = isPromise(value)
        ? value.then((resolved) => complete(run, resolved, nowhere))
        : complete(run, value, nowhere);
      return isPromise(done) ? done.then(undefined, (error) => fail(run, error, pathIn(parent))) : done;
    } catch (error) {
      return fail(run, error, pathIn(parent));
    }
  }

  return isPlainProperty ? readProperty : resolveField;
}

function definitionOf(schema: GraphQLSchema, type: GraphQLObjectType, name: string): Definition {
  if (name === TypeNameMetaFieldDef.name) return TypeNameMetaFieldDef;
  const meta =
    schema.getQueryType() === type && [SchemaMetaFieldDef, TypeMetaFieldDef].find((it) => it.name === name);
  const definition = meta || type.getFields()[name];
  if (!definition) throw new Error(`${type.name} has no field ${name}`);
  return definition;
}
