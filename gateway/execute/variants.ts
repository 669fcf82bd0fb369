import type { LRUCache } from 'lru-cache';

type Variables = Readonly<Record<string, unknown>>;

let lastOperation = 0;

/**
 * What is compiled of an operation once for each combination of what its conditions say, when that comes, and kept for
 * as long as there is room for it. `compile` tells how much more it weighs than the operation's document.
 */
export function variants<Value extends object>(options: {
  conditions: readonly string[];
  condition: (variables: Variables, name: string) => boolean;
  compile: (values: ReadonlyMap<string, boolean>, onGrowth: (weight: number) => void) => Value;
  kept: LRUCache<string, Value>;
  characters: number;
}): (variables: Variables) => Value {
  const { conditions, condition, compile, kept, characters } = options;
  const operation = ++lastOperation;
  return (variables) => {
    const values = conditions.map((name) => condition(variables, name));
    const key = `${operation} ${values.map(Number).join('')}`;
    const known = kept.get(key);
    if (known) return known;
    let size = characters;
    const compiled = compile(
      new Map(conditions.map((name, index) => [name, values[index] === true])),
      (more) => {
        size += more;
        weighAgain(kept, key, size);
      },
    );
    kept.set(key, compiled, { size });
    return compiled;
  };
}

/** Makes room for what weighs more than when it was put there; what is not there any more stays away. */
export function weighAgain<Value extends object>(
  kept: LRUCache<string, Value>,
  key: string,
  size?: number,
): void {
  const value = kept.peek(key);
  if (!value) return;
  // The size of a value that is there already stays what it was.
  kept.delete(key);
  kept.set(key, value, { ...(size !== undefined && { size }) });
}
