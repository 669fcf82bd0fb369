import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { projectPath } from '../../platform/root.js';

/** A file of the folder where other projects' gateways are: a package of its own, no dependency of this one. */
export const peerPath = (...parts: string[]): string => projectPath('bench', 'gateway', 'peers', ...parts);

/**
 * Installs them by their lock file, unless that has been done.
 * @throws Error where npm does not succeed
 */
export async function installPeers(log: (line: string) => void): Promise<void> {
  // npm writes this one last.
  const installed = changedAt(peerPath('node_modules', '.package-lock.json'));
  if (installed > changedAt(peerPath('package-lock.json'))) return;
  log('installing other gateways (npm ci in bench/gateway/peers): 530 MB, once');
  const npm = spawn('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: peerPath(),
    stdio: ['ignore', 'ignore', 'pipe'],
    shell: process.platform === 'win32',
  });
  let said = '';
  npm.stderr.on('data', (chunk: Buffer) => {
    said = `${said}${chunk}`.slice(-2_000);
  });
  const [code] = await once(npm, 'close');
  if (code !== 0) throw new Error(`npm ci ended with ${code}: ${said.trim()}`);
}

const changedAt = (path: string): number => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
