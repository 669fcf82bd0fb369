/** Features of a supergraph that say who may see what, in the versions that are enforced here. */
export const protectingFeatures: readonly string[] = ['authenticated', 'requiresScopes', 'policy'].map(
  (name) => `https://specs.apollo.dev/${name}/v0.1`,
);

/** What ApolloGateway takes: it refuses a supergraph that protects fields, which is looked after before it is asked. */
export const withoutProtection = (sdl: string): string =>
  protectingFeatures.reduce(
    (text, url) => text.replaceAll(new RegExp(`(@link\\([^)]*"${url}"[^)]*), for: SECURITY`, 'g'), '$1'),
    sdl,
  );
