import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Config, ConfigError, ownSupergraph } from '../platform/config.js';
import { projectPath } from '../platform/root.js';

/**
 * The SDL at SUPERGRAPH_PATH; a relative path is that of the working directory, but for the default.
 * @throws ConfigError where it cannot be read
 */
export async function readSupergraph(config: Config): Promise<string> {
  const { SUPERGRAPH_PATH } = config;
  const path = SUPERGRAPH_PATH === ownSupergraph ? projectPath(ownSupergraph) : resolve(SUPERGRAPH_PATH);
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new ConfigError(`SUPERGRAPH_PATH names a file that cannot be read: ${path} (${error.code})`);
  });
}
