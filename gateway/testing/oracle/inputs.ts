import {
  type GraphQLInputType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isRequiredInputField,
} from 'graphql';
import type { Random } from '../random.js';

/** Values that mean something to a schema, by `Type.field.argument`, by the argument's name, or by the name of a scalar. */
export type Samples = Readonly<Record<string, readonly unknown[]>>;

export interface Inputs {
  /** The text of a value, often a variable, for what stands at a place such as `Query.user.id`. */
  value(type: GraphQLInputType, place: string, at: { hasDefault: boolean }): string;
  /** `@skip` and `@include`, with a blank before each; nothing most of the time. */
  conditions(probability: number): string;
  /** What has to be declared, and what is given for it. */
  variables(): { declarations: string; values: Record<string, unknown> };
}

type Value = string | number | boolean | null | Enum | Value[] | { [field: string]: Value };
/** An enum's value is a name where it is written, and a string where it is a variable's. */
class Enum {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** Writes the inputs of one query. */
export function createInputs(random: Random, samples: Samples): Inputs {
  const declared: { text: string; name: string; value: Value | undefined }[] = [];

  function sample(type: GraphQLInputType, place: string): Value {
    if (isNonNullType(type)) return sample(type.ofType, place) ?? sample(type, place);
    if (random.chance(0.06)) return null;
    if (isListType(type)) {
      if (random.chance(0.1)) return sample(type.ofType, place);
      return Array.from({ length: random.below(4) }, () => sample(type.ofType, place));
    }
    if (isEnumType(type)) return new Enum(random.pick(type.getValues()).name);
    if (isInputObjectType(type)) {
      const fields = Object.values(type.getFields()).filter(
        (field) => isRequiredInputField(field) || random.chance(0.5),
      );
      return Object.fromEntries(
        fields.map((field) => [field.name, sample(field.type, `${type.name}.${field.name}`)]),
      );
    }
    const last = place.slice(place.lastIndexOf('.') + 1);
    const values = samples[place] ?? samples[last] ?? samples[type.name] ?? ['text'];
    return random.pick(values) as Value;
  }

  function declare(type: string, value: Value | undefined, standard?: Value): string {
    const name = `v${declared.length}`;
    const text = `$${name}: ${type}${standard === undefined ? '' : ` = ${print(standard)}`}`;
    declared.push({ text, name, value });
    return `$${name}`;
  }

  return {
    value(type, place, { hasDefault }) {
      const value = sample(type, place);
      if (random.chance(0.65)) return print(value);
      const mayLeaveOut = !isNonNullType(type) || hasDefault;
      // A variable that may be null fits a place that may not, where one of them has a default.
      if (isNonNullType(type) && value !== null && random.chance(0.3)) {
        return declare(String(type.ofType), random.chance(0.5) ? value : undefined, value);
      }
      if (!mayLeaveOut || random.chance(0.5)) return declare(String(type), value);
      const bare = isNonNullType(type) ? type.ofType : type;
      const standard = random.chance(0.5) ? sample(bare, place) : undefined;
      return declare(
        String(bare),
        random.chance(0.5) ? value : undefined,
        standard === null && isNonNullType(type) ? value : standard,
      );
    },
    conditions(probability) {
      const one = (directive: string): string => {
        if (!random.chance(probability)) return '';
        const value = random.chance(0.7) === (directive === 'include');
        if (random.chance(0.3)) return ` @${directive}(if: ${value})`;
        const known = declared.filter(
          ({ text }) => text.includes(': Boolean!') || text.includes(': Boolean ='),
        );
        if (known.length > 0 && random.chance(0.5)) return ` @${directive}(if: $${random.pick(known).name})`;
        const name = random.chance(0.3)
          ? declare('Boolean', random.chance(0.5) ? value : undefined, !value)
          : declare('Boolean!', value);
        return ` @${directive}(if: ${name})`;
      };
      return one('include') + one('skip');
    },
    variables() {
      const given = declared.filter(({ value }) => value !== undefined);
      return {
        declarations: declared.length > 0 ? `(${declared.map(({ text }) => text).join(', ')})` : '',
        values: Object.fromEntries(given.map(({ name, value }) => [name, plain(value as Value)])),
      };
    },
  };
}

function print(value: Value): string {
  if (value instanceof Enum) return value.name;
  if (Array.isArray(value)) return `[${value.map(print).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return `{ ${Object.entries(value)
    .map(([name, inner]) => `${name}: ${print(inner)}`)
    .join(', ')} }`;
}

function plain(value: Value): unknown {
  if (value instanceof Enum) return value.name;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner)]));
}
