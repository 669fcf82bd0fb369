import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hash, verify } from '@node-rs/argon2';
import { projectPath } from '../../platform/root.js';

/** argon2id with what OWASP asks for at least: 19 MiB, two passes, one lane (its Password Storage Cheat Sheet). */
const parameters = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
const prefix = '$argon2id$v=19$m=19456,t=2,p=1$';

export const hashPassword = (password: string): Promise<string> => hash(password, parameters);

/** Whether a hash was made with other parameters than those of now. */
export const isOutdated = (passwordHash: string): boolean => !passwordHash.startsWith(prefix);

/** Of a password that nobody has: checked where there is no account, so that both answers take as long. */
let nobodysHash: Promise<string> | undefined;

/** Whether a password is that of a hash; never of none, and that takes as long. */
export async function isCorrect(passwordHash: string | null, password: string): Promise<boolean> {
  if (passwordHash !== null) return verify(passwordHash, password);
  nobodysHash ??= hashPassword(randomBytes(16).toString('hex'));
  await verify(await nobodysHash, password);
  return false;
}

let common: ReadonlySet<string> | undefined;

/** Whether a password is one of those that are tried first, in whatever case. */
export function isCommon(password: string): boolean {
  common ??= new Set(
    readFileSync(projectPath('subgraphs', 'user', 'common-passwords.txt'), 'utf8')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('# ')),
  );
  return common.has(password.toLowerCase());
}
