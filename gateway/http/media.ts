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

const byType: Readonly<Record<string, Answering>> = {
  'application/graphql-response+json': { media: 'application/graphql-response+json', statusTells: true },
  'application/json': { media: 'application/json', statusTells: false },
  'application/*': { media: 'application/json', statusTells: true },
  '*/*': { media: 'application/json', statusTells: true },
};
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

function choose(header: string): Answering | undefined {
  const wanted = header.split(',').map((part, index) => {
    const [type = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
    const charset = parameters.find((text) => text.startsWith('charset='))?.slice(8) ?? 'utf-8';
    const quality = Number(parameters.find((text) => text.startsWith('q='))?.slice(2) ?? 1);
    const isTaken = /^"?utf-?8"?$/.test(charset) && quality > 0;
    return { answering: isTaken ? byType[type] : undefined, quality, index };
  });
  wanted.sort((a, b) => b.quality - a.quality || a.index - b.index);
  return wanted.find(({ answering }) => answering)?.answering;
}
