/** The values of an enum in an SDL. */
export function enumValues(sdl: string, name: string): string[] {
  const body = new RegExp(`^enum ${name} \\{([^}]*)\\}`, 'm').exec(sdl)?.[1];
  if (body === undefined) throw new Error(`the SDL has no enum ${name}`);
  return body
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => /^[A-Z_]+$/.test(line));
}

/** Every status that a state machine can come to from the first. */
export function reachable<S extends string>(transitions: Record<S, readonly S[]>, first: S): S[] {
  const seen = new Set<S>([first]);
  for (const status of seen) for (const next of transitions[status]) seen.add(next);
  return [...seen];
}
