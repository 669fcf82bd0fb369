import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Config, ConfigError, ownSupergraph } from '../platform/config.js';
import { projectPath } from '../platform/root.js';

/** Where SUPERGRAPH_PATH is; a relative path is that of the working directory, but for the default. */
export const supergraphPath = ({ SUPERGRAPH_PATH }: Config): string =>
  SUPERGRAPH_PATH === ownSupergraph ? projectPath(ownSupergraph) : resolve(SUPERGRAPH_PATH);

/**
 * The SDL at SUPERGRAPH_PATH.
 * @throws ConfigError where it cannot be read
 */
export async function readSupergraph(config: Config): Promise<string> {
  const path = supergraphPath(config);
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new ConfigError(`SUPERGRAPH_PATH names a file that cannot be read: ${path} (${error.code})`);
  });
}
