/** The media types of answers. */
export type Media = 'application/json' | 'application/graphql-response+json';

/** How a client wants to be answered. */
export interface Answering {
  media: Media;
  /**
   * Whether the status says what became of the operation. Who accepts `application/json` by name is answered
   * 200 for an operation that was refused, as GraphQL over HTTP has it for that type: proxies that know nothing
   * of GraphQL send it too.
   */
  statusTells: boolean;
}

/** What can be sent, what is taken for granted first. */
const sent: readonly Media[] = ['application/json', 'application/graphql-response+json'];
const known = new Map<string, Answering | undefined>();

/** Chooses by an `accept` header; undefined where it takes nothing that can be sent. */
export function answeringOf(accept: string | undefined): Answering | undefined {
  const header = accept ?? '*/*';
  if (known.has(header)) return known.get(header);
  const answering = choose(header);
  // Clients send a handful of these; whoever sends ever new ones must not fill the memory.
  if (known.size < 1_000 && header.length < 200) known.set(header, answering);
  return answering;
}

interface Range {
  type: string;
  quality: number;
  index: number;
}

/** By RFC 9110: of the ranges that fit a type the closest says its quality, and 0 means not at all. */
function choose(header: string): Answering | undefined {
  const ranges = header.split(',').flatMap((part, index) => rangeOf(part, index) ?? []);
  const wanted = sent.flatMap((media) => {
    const fits = [media, 'application/*', '*/*'];
    const [closest] = ranges
      .filter(({ type }) => fits.includes(type))
      .sort((a, b) => fits.indexOf(a.type) - fits.indexOf(b.type) || b.quality - a.quality);
    return closest && closest.quality > 0
      ? [{ ...closest, media, distance: fits.indexOf(closest.type) }]
      : [];
  });
  const [best] = wanted.sort((a, b) => b.quality - a.quality || a.distance - b.distance || a.index - b.index);
  if (!best) return undefined;
  return { media: best.media, statusTells: best.type !== 'application/json' };
}

/** Undefined for what no answer can fit: answers are in UTF-8. */
function rangeOf(part: string, index: number): Range | undefined {
  const [type = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
  const charset = parameters.find((text) => text.startsWith('charset='))?.slice(8) ?? 'utf-8';
  const quality = Number(parameters.find((text) => text.startsWith('q='))?.slice(2) ?? 1);
  return /^"?utf-?8"?$/.test(charset) && quality >= 0 ? { type, quality, index } : undefined;
}
