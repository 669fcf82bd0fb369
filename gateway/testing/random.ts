/** The same numbers for the same seed, on every machine. */
export interface Random {
  /** 0 <= n < 1 */
  next(): number;
  /** A whole number, 0 <= n < below. */
  below(below: number): number;
  chance(probability: number): boolean;
  /** @throws Error where there is nothing to pick */
  pick<T>(list: readonly T[]): T;
}

/** 32 bits of a text, well mixed: FNV-1a, and the last steps of MurmurHash3. */
export function hash(text: string): number {
  let bits = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    bits = Math.imul(bits ^ text.charCodeAt(index), 0x01000193);
  }
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}

/** The hash as a number, 0 <= n < 1. */
export const fraction = (text: string): number => hash(text) / 2 ** 32;

export function createRandom(seed: string): Random {
  let count = 0;
  // A counter that is hashed: slower than a generator of state, and it needs none.
  const next = () => fraction(`${seed}/${count++}`);
  const below = (limit: number) => Math.floor(next() * limit);
  return {
    next,
    below,
    chance: (probability) => next() < probability,
    pick(list) {
      if (list.length === 0) throw new Error('nothing to pick from');
      return list[below(list.length)] as (typeof list)[number];
    },
  };
}
