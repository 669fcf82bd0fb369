/**
 * No answer of a real subgraph is nested so deep. What is, costs whoever walks it the stack, and it would be
 * walked last where it costs the whole answer: when that is written.
 */
export const deepest = 500;

/** Whether objects and lists are nested in a value more than so many levels deep. */
export function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1));
}

const [quote, backslash] = [0x22, 0x5c];
const [openList, closeList, openObject, closeObject] = [0x5b, 0x5d, 0x7b, 0x7d];

/**
 * The same for JSON, without parsing it: 64 MiB of `[` take JSON.parse five seconds and gigabytes. What is no
 * JSON may be called either.
 */
export function isTextDeeper(text: string, levels: number): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === openList || code === openObject) {
      if (++depth > levels) return true;
    } else if (code === closeList || code === closeObject) depth--;
    else if (code === quote) at = endOfString(text, at);
  }
  return false;
}

/** Where the quote is that ends the string which begins here; the end of the text where there is none. */
function endOfString(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); at >= 0; at = text.indexOf('"', at + 1)) {
    let before = at - 1;
    while (text.charCodeAt(before) === backslash) before--;
    if ((at - before) % 2 === 1) return at;
  }
  return text.length;
}
