const object = { an: 'object' };

/** Values that are none of the type. */
const wrong: Record<string, readonly unknown[]> = {
  Int: ['text', '1', 1.5, true, 2 ** 40, object, [1]],
  Float: ['text', '1.5', true, object, [1]],
  String: [5, 1.5, true, object, ['text']],
  ID: [1.5, true, object, ['id'], 7],
  Boolean: ['true', 1, object, [true]],
};

/** A value that a type cannot have, or one that no type can that has fields. */
export function wrongLeaf(typename: string | undefined, kind: number): unknown {
  const values = wrong[typename ?? ''] ?? [5, 'text', true, object, [object]];
  return values[kind % values.length];
}
