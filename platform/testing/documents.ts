import {
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isInterfaceType,
  isLeafType,
  isObjectType,
} from 'graphql';

const aliases = ['x', '__proto__', 'constructor', 'toString', 'then', 'n'];

/**
 * A document of chance for the schema of chaos.ts, and variables for it: fragments, aliases, arguments, `@skip`
 * and `@include`. Some are not valid: fields of one response key that contradict each other.
 */
export function randomDocument(schema: GraphQLSchema, chance: () => number) {
  const pick = <T>(of: readonly T[]): T => of[Math.floor(chance() * of.length)] as T;
  const conditions = new Set<string>();
  const isMutation = chance() < 0.15;
  const fragments: string[] = [];

  function directive(): string {
    if (chance() > 0.15) return '';
    const name = pick(['skip', 'include']);
    if (chance() < 0.3) return ` @${name}(if: ${chance() < 0.5})`;
    const variable = `c${Math.floor(chance() * 4)}`;
    conditions.add(variable);
    return ` @${name}(if: $${variable})`;
  }

  function selection(type: GraphQLNamedType, depth: number): string {
    const made: string[] = [];
    const fields = isObjectType(type) || isInterfaceType(type) ? Object.values(type.getFields()) : [];
    for (let left = 1 + Math.floor(chance() * 4); left > 0; left--) {
      const field = pick(fields);
      if (chance() < 0.15 || !field) {
        made.push('__typename');
        continue;
      }
      const inner = getNamedType(field.type);
      if (!isLeafType(inner) && depth === 0) continue;
      const alias = chance() < 0.12 ? `${pick(aliases)}: ` : '';
      const given = field.args.length > 0 ? `(a: ${chance() < 0.1 ? 3 : '$n'})` : '';
      made.push(
        `${alias}${field.name}${given}${directive()}${isCompositeType(inner) ? ` ${selection(inner, depth - 1)}` : ''}`,
      );
    }
    if (isAbstractType(type) || chance() < 0.2) {
      const possible = isAbstractType(type)
        ? schema.getPossibleTypes(type)
        : isObjectType(type)
          ? [type]
          : [];
      for (const of of possible) {
        if (chance() < 0.3) continue;
        const body = selection(of, Math.max(0, depth - 1));
        if (chance() < 0.6) made.push(`... on ${of.name}${directive()} ${body}`);
        else {
          const name = `F${fragments.length}`;
          fragments.push(`fragment ${name} on ${of.name} ${body}`);
          made.push(`...${name}${directive()}`);
        }
      }
    }
    return `{ ${made.length > 0 ? made.join(' ') : '__typename'} }`;
  }

  const root = isMutation ? schema.getMutationType() : schema.getQueryType();
  const body = selection(root as GraphQLNamedType, 4);
  const heads = ['$n: Int! = 1', ...[...conditions].map((name) => `$${name}: Boolean!`)];
  const usesNumber = [body, ...fragments].some((text) => text.includes('$n'));
  const head = (usesNumber ? heads : heads.slice(1)).join(', ');
  const query = `${isMutation ? 'mutation' : 'query'}${head ? ` (${head})` : ''} ${body} ${fragments.join(' ')}`;
  const variables = () => ({
    ...Object.fromEntries([...conditions].map((name) => [name, chance() < 0.5])),
    ...(usesNumber && chance() < 0.5 && { n: Math.floor(chance() * 9) }),
  });
  return { query, variables };
}
