import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The project's folder: the nearest one above this file with a package.json, for source and `dist` alike. */
function findRoot(folder: string): string {
  if (existsSync(join(folder, 'package.json'))) return folder;
  const parent = dirname(folder);
  if (parent === folder) throw new Error('package.json is missing: doorstep runs from its own folder');
  return findRoot(parent);
}

const root = findRoot(import.meta.dirname);

/** An absolute path of a file of the project. */
export const projectPath = (...parts: string[]): string => join(root, ...parts);
