import {
  type GraphQLAbstractType,
  type GraphQLArgument,
  type GraphQLCompositeType,
  type GraphQLField,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isInterfaceType,
  isLeafType,
  isObjectType,
  isRequiredArgument,
  isUnionType,
  OperationTypeNode,
  parse,
  validate,
} from 'graphql';
import { createRandom, type Random } from '../random.js';
import { createInputs, type Inputs, type Samples } from './inputs.js';

export interface GeneratedQuery {
  query: string;
  variables: Record<string, unknown>;
}

export interface Hints {
  samples: Samples;
  /** What not to ask for: `Type.field`, and `Type...Other` for a fragment on another type inside of one. */
  avoided: ReadonlySet<string>;
  /** How often one name stands for two things below objects of two types; never unless told. */
  twins?: number;
}

/** How large queries get; small ones leave more of a second for other queries. */
const deepest = 4;
const widest = 3;
const mostFields = 13;

/** Names that a plain object has, or that stand for keys and required fields where they are no aliases. */
const oddAliases = [
  'constructor',
  'toString',
  '__proto__',
  'valueOf',
  'id',
  'email',
  'weight',
  'age',
  'dims',
];

/**
 * Makes valid queries and mutations for a schema out of seeds, with aliases, fragments of all kinds, conditions,
 * variables, and fields that are asked for twice.
 */
export function createGenerator(
  schema: GraphQLSchema,
  hints: Hints,
  accepts: (query: string) => boolean = () => true,
) {
  return (seed: string): GeneratedQuery => {
    // What one selection has cannot always stand beside what another has; then the next one is tried.
    for (let attempt = 0; ; attempt++) {
      const made = writeQuery(schema, createRandom(`${seed}/${attempt}`), hints);
      if (validate(schema, parse(made.query)).length === 0 && accepts(made.query)) return made;
      if (attempt === 100) throw new Error(`no valid query comes of the seed ${seed}`);
    }
  };
}

function writeQuery(schema: GraphQLSchema, random: Random, hints: Hints): GeneratedQuery {
  const inputs = createInputs(random, hints.samples);
  const writer = createWriter(schema, random, inputs, hints);
  const kind = random.chance(0.07) ? OperationTypeNode.MUTATION : OperationTypeNode.QUERY;
  const root = schema.getRootType(kind);
  if (!root) throw new Error(`the schema has no ${kind}`);
  const selections = writer.selections(root, 0, '');
  const { declarations, values } = inputs.variables();
  const name = random.chance(0.2) ? ' Named' : '';
  const head = declarations || name || kind !== 'query' ? `${kind}${name}${declarations} ` : '';
  return { query: [head + selections, ...writer.fragments()].join('\n'), variables: values };
}

interface Head {
  field: string;
  type: string;
  parent: string;
}

function createWriter(
  schema: GraphQLSchema,
  random: Random,
  inputs: Inputs,
  { avoided, twins: twinRate = 0 }: Hints,
) {
  const fragments = new Map<string, { type: string; within: string; text: string }>();
  /** What stands under a response name, by its path, so that what is asked twice merges. */
  const heads = new Map<string, Head>();
  let fields = 0;
  let aliases = 0;
  let openFragments = 0;

  /** `within` is the type of the objects, as far as the fragments around have told. */
  function selections(
    type: GraphQLCompositeType,
    depth: number,
    path: string,
    within: GraphQLCompositeType = type,
  ) {
    const parts: string[] = [];
    const count = 1 + random.below(depth === 0 ? 3 : widest);
    for (let n = 0; n < count; n++) parts.push(selection(type, depth, path, within));
    if (depth > 0 && random.chance(0.1)) parts.push(random.pick(parts));
    return `{ ${parts.join(' ')} }`;
  }

  function selection(
    type: GraphQLCompositeType,
    depth: number,
    path: string,
    within: GraphQLCompositeType,
  ): string {
    const dice = random.next();
    const serial = type === schema.getMutationType();
    if (isUnionType(type) || (isAbstractType(type) && dice < 0.4)) {
      const both = twinRate > 0 && random.chance(twinRate) ? twins(type) : undefined;
      if (both) return both;
      return dice < 0.1 ? typename() : fragment(random.pick(membersOf(type)), depth, path, within);
    }
    if (dice < 0.07) return typename();
    if (dice < 0.13 && !serial) return fragment(type, depth, path, within);
    if (dice < 0.145 && depth === 0 && !serial) return introspection();
    return field(type, depth, path, within);
  }

  /** Types that may be asked about where this one stands. */
  function membersOf(type: GraphQLCompositeType): GraphQLCompositeType[] {
    if (!isAbstractType(type)) return [type, ...(isObjectType(type) ? type.getInterfaces() : [])];
    const members = schema.getPossibleTypes(type);
    return [...members, ...members, ...members.flatMap((member) => member.getInterfaces()), type].filter(
      (one) => !isUnionType(one) && !avoided.has(`${type.name}...${one.name}`),
    );
  }

  const typename = (): string => `${random.chance(0.3) ? `t${aliases++}: ` : ''}__typename`;

  const introspection = (): string =>
    random.pick([
      '__schema { queryType { name } }',
      `i${aliases++}: __type(name: "${random.pick(Object.keys(schema.getTypeMap()))}") { kind name possibleTypes { name } }`,
    ]);

  function fragment(
    type: GraphQLCompositeType,
    depth: number,
    path: string,
    around: GraphQLCompositeType,
  ): string {
    const within = isObjectType(around) ? around : type;
    const condition = !isAbstractType(type) && random.chance(0.15) ? random.pick(membersOf(type)) : type;
    const known = [...fragments].filter(
      ([, one]) => one.type === condition.name && one.within === within.name,
    );
    if (known.length > 0 && random.chance(0.3)) return `...${random.pick(known)[0]}${inputs.conditions(0.2)}`;
    const isNamed = random.chance(0.3);
    // A variable's value may differ by place, but a fragment is one text: it is written once it is complete.
    openFragments++;
    const text = selections(condition, Math.max(depth, 1), path, within);
    openFragments--;
    if (!isNamed) {
      const on =
        condition === type && isObjectType(type) && random.chance(0.2) ? '' : ` on ${condition.name}`;
      return `...${on}${inputs.conditions(0.2)} ${text}`;
    }
    const name = `F${fragments.size}_${openFragments}`;
    fragments.set(name, {
      type: condition.name,
      within: within.name,
      text: `fragment ${name} on ${condition.name} ${text}`,
    });
    return `...${name}${inputs.conditions(0.2)}`;
  }

  /** What two members have below a field of theirs, under one name that means something else in each. */
  function twins(type: GraphQLAbstractType): string | undefined {
    const members = schema
      .getPossibleTypes(type)
      .filter(({ name }) => !avoided.has(`${type.name}...${name}`));
    const first = members.length > 1 ? random.pick(members) : undefined;
    const second = first && random.pick(members.filter((member) => member !== first));
    if (!first || !second) return undefined;
    const others = second.getFields();
    const shared = Object.values(first.getFields()).filter(
      (one) => one.args.length === 0 && String(others[one.name]?.type) === String(one.type),
    );
    const objects = shared.flatMap(({ name, type: outer }) => {
      const named = getNamedType(outer);
      return isObjectType(named) || isInterfaceType(named) ? [{ name, named }] : [];
    });
    if (objects.length === 0) return undefined;
    const { name, named } = random.pick(objects);
    const leaves = Object.values(named.getFields()).filter(
      (one) => isLeafType(getNamedType(one.type)) && !avoided.has(`${named.name}.${one.name}`),
    );
    if (leaves.length === 0) return undefined;
    const leaf = random.pick(leaves);
    const other = random.pick(leaves.filter((one) => String(one.type) === String(leaf.type)));
    const alias = `y${aliases++}`;
    return `... on ${first.name} { ${name} { ${alias}: ${leaf.name}${argumentsOf(named, leaf)} } } ... on ${second.name} { ${name} { ${alias}: ${other.name}${argumentsOf(named, other)} } }`;
  }

  function field(
    type: Exclude<GraphQLCompositeType, { getTypes: unknown }>,
    depth: number,
    path: string,
    within: GraphQLCompositeType,
  ): string {
    const all = Object.values(type.getFields()).filter(
      ({ name }) => !avoided.has(`${within.name}.${name}`) && !avoided.has(`${type.name}.${name}`),
    );
    const isDeep = depth >= deepest || fields >= mostFields;
    const leaves = all.filter((one) => !isCompositeType(getNamedType(one.type)));
    const candidates = isDeep ? leaves : all;
    if (candidates.length === 0) return typename();
    fields++;
    const chosen = random.pick(candidates);
    const text = `${chosen.name}${argumentsOf(type, chosen)}`;
    const name = responseName(type, chosen, text, path);
    const written = name === chosen.name ? text : `${name}: ${text}`;
    const named = getNamedType(chosen.type);
    const inner = isCompositeType(named) ? ` ${selections(named, depth + 1, `${path}.${name}`)}` : '';
    return `${written}${inputs.conditions(0.08)}${inner}`;
  }

  function argumentsOf(type: GraphQLCompositeType, { name, args }: GraphQLField<unknown, unknown>): string {
    const given = args.filter(
      (argument: GraphQLArgument) => isRequiredArgument(argument) || random.chance(0.4),
    );
    if (given.length === 0) return '';
    const texts = given.map(
      (argument) =>
        `${argument.name}: ${inputs.value(argument.type, `${type.name}.${name}.${argument.name}`, {
          hasDefault: argument.defaultValue !== undefined,
        })}`,
    );
    return `(${texts.join(', ')})`;
  }

  /** The field's own name where it is free or means the same; else, or now and then, an alias. */
  function responseName(
    type: GraphQLCompositeType,
    { name, type: fieldType }: GraphQLField<unknown, unknown>,
    text: string,
    path: string,
  ): string {
    const head = { field: text, type: String(fieldType), parent: type.name };
    const isFree = (response: string): boolean => {
      const taken = heads.get(`${path}.${response}`);
      if (!taken || taken.field === text) return true;
      // On other members of a union a name may stand for something else of the same type.
      return taken.type === head.type && taken.parent !== head.parent && random.chance(0.5);
    };
    const wanted = random.chance(0.12)
      ? random.chance(0.06)
        ? random.pick(oddAliases)
        : `a${random.below(4)}`
      : name;
    const chosen = [wanted, name].find(isFree) ?? `x${aliases++}`;
    heads.set(`${path}.${chosen}`, head);
    return chosen;
  }

  return { selections, fragments: () => [...fragments.values()].map(({ text }) => text) };
}
