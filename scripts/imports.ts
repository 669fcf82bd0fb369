/**
 * Holds the imports between folders: prints a line for each that the table below does not allow, and exits 1.
 * Read are tokens, so that spelling and comments make no difference, and paths are resolved before they are
 * judged. What `import()` is given as a variable is not seen. `tsx scripts/imports.ts [folder]`
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { createScanner, SyntaxKind } from 'typescript/unstable/ast';

const parts = ['app', 'gateway', 'subgraphs', 'events', 'platform'];

/**
 * What each folder may import besides itself; one that is not here may import nothing. `configs` are the
 * files beside main.ts. Each subgraph is a folder of its own. A *.test.ts may import test/ as well.
 */
const allowed: Record<string, string[]> = {
  main: parts,
  app: ['gateway', 'subgraphs', 'events', 'platform'],
  gateway: ['platform'],
  subgraphs: ['events', 'platform'],
  events: ['platform'],
  platform: [],
  test: ['main', ...parts],
  bench: ['main', 'app', 'subgraphs', 'events', 'platform'],
  scripts: ['configs', 'platform'],
  configs: ['scripts', 'platform'],
};

const skipped = new Set(['node_modules', 'dist', 'generated', 'coverage']);

const root = resolve(process.argv[2] ?? join(import.meta.dirname, '..'));

function sourcesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (!entry.isDirectory()) return /\.[cm]?[jt]s$/.test(entry.name) ? [path] : [];
    return skipped.has(entry.name) || entry.name.startsWith('.') ? [] : sourcesIn(path);
  });
}

/** `platform`, `subgraphs/order`, ...; `main` or `configs` for a file that stands in the root. */
function folderOf(path: string): string {
  const [first = '', second, third] = relative(root, path).split(sep);
  if (second === undefined) return /^main\.[jt]s$/.test(first) ? 'main' : 'configs';
  return first === 'subgraphs' && third !== undefined ? `${first}/${second}` : first;
}

function mayImport(file: string, target: string): boolean {
  const [from, to] = [folderOf(file), folderOf(target)];
  if (from === to) return true;
  const wanted = to.replace(/^subgraphs\/.*/, 'subgraphs');
  if (wanted === 'test' && file.endsWith('.test.ts')) return true;
  return allowed[from.replace(/\/.*/, '')]?.includes(wanted) ?? false;
}

// After these a slash divides; after anything else it starts a regular expression.
const values = new Set([
  ...[SyntaxKind.Identifier, SyntaxKind.NumericLiteral, SyntaxKind.BigIntLiteral, SyntaxKind.StringLiteral],
  ...[SyntaxKind.NoSubstitutionTemplateLiteral, SyntaxKind.TemplateTail, SyntaxKind.RegularExpressionLiteral],
  ...[SyntaxKind.CloseParenToken, SyntaxKind.CloseBracketToken, SyntaxKind.CloseBraceToken],
  ...[SyntaxKind.ThisKeyword, SyntaxKind.SuperKeyword, SyntaxKind.PlusPlusToken, SyntaxKind.MinusMinusToken],
]);

// What stands before a module's name, brackets aside.
const leads = new Set(['from', 'import', 'require', 'resolve', 'module', 'mock', 'importActual']);
const texts = [SyntaxKind.StringLiteral, SyntaxKind.NoSubstitutionTemplateLiteral, SyntaxKind.TemplateHead];

/** The relative module names in a source, with the line of each. Throws where it has lost its way. */
function* importsOf(file: string, source: string): Generator<{ line: number; path: string }> {
  const scanner = createScanner(true, undefined, source);
  const braces: SyntaxKind[] = [];
  let before = SyntaxKind.Unknown;
  let lead = '';
  for (let token = scanner.scan(); token !== SyntaxKind.EndOfFile; before = token, token = scanner.scan()) {
    const slash = token === SyntaxKind.SlashToken || token === SyntaxKind.SlashEqualsToken;
    if (slash && !values.has(before)) token = scanner.reScanSlashToken();
    if (token === SyntaxKind.CloseBraceToken && braces.pop() === SyntaxKind.TemplateHead) {
      token = scanner.reScanTemplateToken(false);
      if (token === SyntaxKind.TemplateMiddle) braces.push(SyntaxKind.TemplateHead);
    }
    if (token === SyntaxKind.OpenBraceToken || token === SyntaxKind.TemplateHead) braces.push(token);
    const line = source.slice(0, scanner.getTokenStart()).split('\n').length;
    if (scanner.isUnterminated()) throw new Error(`${relative(root, file)}:${line}: where does this end?`);
    const path = texts.includes(token) && leads.has(lead) ? scanner.getTokenValue() : '';
    if (/^(\.\.?(\/|$)|\/)/.test(path)) yield { line, path };
    if (token !== SyntaxKind.OpenParenToken) lead = scanner.getTokenText();
  }
}

const titleOf = (folder: string) => (folder === 'main' || folder === 'configs' ? folder : `${folder}/`);

for (const file of sourcesIn(root)) {
  for (const { line, path } of importsOf(file, readFileSync(file, 'utf8'))) {
    const target = resolve(dirname(file), path.replace(/\/$/, '/index.js'));
    if (mayImport(file, target)) continue;
    const [from, to] = [file, target].map((path) => titleOf(folderOf(path)));
    console.error(`${relative(root, file)}:${line}: ${from} may not import ${to}: ${path}`);
    process.exitCode = 1;
  }
}
