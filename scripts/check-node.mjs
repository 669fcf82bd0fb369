// Exits 1 with one clear line when this Node is too old for what package.json asks for.
import { readFileSync } from 'node:fs';

const { engines } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const [major, minor] = engines.node.replace('>=', '').split('.').map(Number);
const [ownMajor, ownMinor] = process.versions.node.split('.').map(Number);
if (ownMajor < major || (ownMajor === major && ownMinor < minor)) {
  console.error(`doorstep needs Node ${engines.node.replace('>=', '')} or later; this is ${process.version}`);
  process.exitCode = 1;
}
