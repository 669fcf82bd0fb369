import {
  baseType,
  type Directive,
  type FieldDefinition,
  type InterfaceType,
  isInterfaceType,
  isObjectType,
  type NamedType,
  type ObjectType,
  type Schema,
} from '@apollo/federation-internals';
import { both, type Groups, type Requirement } from './requirement.js';

/** What a supergraph says of who may see what. */
export interface ProtectionRules {
  /** What a field of a type needs; undefined where all may see it. */
  requirementOf(type: string, field: string): Requirement | undefined;
  /** The names of all policies that are asked for. */
  policies: readonly string[];
}

const features = {
  authenticated: 'https://specs.apollo.dev/authenticated',
  requiresScopes: 'https://specs.apollo.dev/requiresScopes',
  policy: 'https://specs.apollo.dev/policy',
} as const;

type Field = FieldDefinition<ObjectType | InterfaceType>;

/**
 * Reads `@authenticated`, `@requiresScopes` and `@policy` of a supergraph, by whatever names they go there; undefined
 * where it has none. A field needs what it asks for itself, what its parent does and what its own type does. One of an
 * interface needs besides what it needs in every object that may stand there: which one does is not known before it
 * has been fetched.
 */
export function protectionRulesOf(schema: Schema): ProtectionRules | undefined {
  const nameOf = (feature: keyof typeof features): string | undefined =>
    schema.coreFeatures?.getByIdentity(features[feature])?.directiveNameInSchema(feature);
  const [authenticated, requiresScopes, policy] = [
    nameOf('authenticated'),
    nameOf('requiresScopes'),
    nameOf('policy'),
  ];
  if (authenticated === undefined && requiresScopes === undefined && policy === undefined) return undefined;

  function asked({ appliedDirectives }: NamedType | Field): Requirement | undefined {
    const groups = (name: string | undefined, argument: string): Groups[] =>
      name === undefined
        ? []
        : (appliedDirectives as readonly Directive[])
            .filter((directive) => directive.name === name)
            .map((directive) => directive.arguments()[argument] as Groups);
    const scopes = groups(requiresScopes, 'scopes');
    const policies = groups(policy, 'policies');
    const needsToken = appliedDirectives.some(({ name }) => name === authenticated);
    if (!needsToken && scopes.length === 0 && policies.length === 0) return undefined;
    return { authenticated: true, scopes, policies };
  }

  const ofTypes = new Map(schema.types().map((type) => [type.name, asked(type)]));
  const ofFields = new Map<string, Requirement>();
  const policies = new Set<string>();
  const note = (
    type: ObjectType | InterfaceType,
    field: Field,
    requirement: Requirement | undefined,
  ): void => {
    if (!requirement) return;
    ofFields.set(`${type.name}.${field.name}`, requirement);
    for (const name of requirement.policies.flat(2)) policies.add(name);
  };
  const needs = (type: ObjectType | InterfaceType, field: Field): Requirement | undefined => {
    const returned = field.type && ofTypes.get(baseType(field.type).name);
    return both(both(asked(field), ofTypes.get(type.name)), returned);
  };
  for (const type of schema.types()) {
    if (isObjectType(type)) for (const field of type.fields()) note(type, field, needs(type, field));
  }
  for (const type of schema.types()) {
    if (!isInterfaceType(type)) continue;
    const objects = type.possibleRuntimeTypes();
    for (const field of type.fields()) {
      const inObjects = objects.map(({ name }) => ofFields.get(`${name}.${field.name}`));
      note(type, field, inObjects.reduce(both, needs(type, field)));
    }
  }
  return {
    requirementOf: (type, field) => ofFields.get(`${type}.${field}`),
    policies: [...policies].sort(),
  };
}
