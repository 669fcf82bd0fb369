/** A name that can stand in code as that of a property, and that no object has from its birth. */
export const isPlainName = (name: string): boolean => !(name in Object.prototype) && /^\w+$/.test(name);

/**
 * What generated code answers; it knows one value, by this name. The code must be made of names of a valid document
 * and of texts in this folder. Undefined where Node was told to make no code of strings.
 */
export function generated<T>(name: string, code: string, value: unknown): T | undefined {
  try {
    return new Function(name, code)(value) as T;
  } catch {
    return undefined;
  }
}
