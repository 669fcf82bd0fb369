import type { Complete, CompleteObject } from './completion.js';
import { type Entity, own, put } from './entity.js';

/** A field of an object, as it is completed. */
export interface CompiledField {
  /** Its name in the answer. */
  key: string;
  /** The name under which it was fetched. */
  source: string;
  complete: Complete;
  /** An expression that holds for a `value` that is complete as it is; where it does not, `complete` decides. */
  isComplete?: string | undefined;
}

/** An object that has been completed so often is worth a function of its own. */
const oftenEnough = 50;

/**
 * Completes objects field by field. Those that come often get a function generated for their fields, in which
 * each property is read and written by its name: that is three times as fast, and JSON.stringify is faster on
 * what it makes. What it is made of are names of a valid document, and the expressions in this folder.
 */
export function completeFields(fields: readonly CompiledField[]): CompleteObject {
  // An alias that every object has something under, such as `constructor`, needs care.
  const isPlain = fields.every(({ key, source }) => isPlainName(key) && isPlainName(source));
  const oneByOne = completeOneByOne(fields);
  if (!isPlain) return oneByOne;
  let calls = 0;
  let complete = oneByOne;
  return (source, completion) => {
    if (completion.path) return oneByOne(source, completion);
    if (++calls === oftenEnough) complete = generate(fields) ?? oneByOne;
    return complete(source, completion);
  };
}

const isPlainName = (name: string): boolean => !(name in Object.prototype) && /^\w+$/.test(name);

function completeOneByOne(fields: readonly CompiledField[]): CompleteObject {
  return (source, completion) => {
    const { path, within } = completion;
    completion.within = source;
    let object: Entity | undefined = {};
    for (const { key, source: name, complete } of fields) {
      path?.push(key);
      const value = complete(own(source, name), completion);
      path?.pop();
      if (value === undefined) {
        object = undefined;
        break;
      }
      put(object, key, value);
    }
    completion.within = within;
    return object;
  };
}

function generate(fields: readonly CompiledField[]): CompleteObject | undefined {
  const statements = fields.map(({ source, isComplete }, index) => {
    const complete = `value = completes[${index}](value, completion); if (value === undefined) return undefined;`;
    const unless = isComplete === undefined ? complete : `if (!(${isComplete})) { ${complete} }`;
    return `value = source.${source}; ${unless} const v${index} = value;`;
  });
  const body = `
    return (source, completion) => {
      let value;
      ${statements.join('\n')}
      return { ${fields.map(({ key }, index) => `${key}: v${index}`).join(', ')} };
    };`;
  try {
    return new Function('completes', body)(fields.map(({ complete }) => complete)) as CompleteObject;
  } catch {
    // Node was told to make no code of strings.
    return undefined;
  }
}
