import { type StreamFormat, streamFormats } from './stream-formats.js';

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

/** Chooses by an `accept` header; undefined where it takes nothing that can be sent. */
export const answeringOf = remembering(choose);

/** How a client wants a subscription to be streamed to it; undefined where its `accept` header names no way. */
export const streamFormatOf = remembering(chooseStream);

function remembering<T>(chosen: (header: string) => T): (accept: string | undefined) => T {
  const known = new Map<string, T>();
  return (accept) => {
    const header = accept ?? '*/*';
    const before = known.get(header);
    if (before !== undefined || known.has(header)) return before as T;
    const choice = chosen(header);
    // Clients send a handful of these; whoever sends ever new ones must not fill the memory.
    if (known.size < 1_000 && header.length < 200) known.set(header, choice);
    return choice;
  };
}

interface Range {
  type: string;
  parameters: readonly string[];
  quality: number;
  index: number;
}

const rangesOf = (header: string): Range[] =>
  header.split(',').flatMap((part, index) => rangeOf(part, index) ?? []);

/** By RFC 9110: of the ranges that fit a type the closest says its quality, and 0 means not at all. */
function choose(header: string): Answering | undefined {
  const ranges = rangesOf(header);
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

/** What goes on for hours is sent to nobody who did not name it: `*` is no name. */
function chooseStream(header: string): StreamFormat | undefined {
  const [best] = rangesOf(header)
    .flatMap(({ type, parameters, quality }) => {
      const format = streamFormats.find(
        ({ media, parameter }) =>
          media === type && (!parameter || parameters.some((text) => parameter.test(text))),
      );
      return format && quality > 0 ? [{ format, quality }] : [];
    })
    .sort((a, b) => b.quality - a.quality);
  return best?.format;
}

/** Undefined for what no answer can fit: answers are in UTF-8. */
function rangeOf(part: string, index: number): Range | undefined {
  const [type = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
  const charset = parameters.find((text) => text.startsWith('charset='))?.slice(8) ?? 'utf-8';
  const quality = Number(parameters.find((text) => text.startsWith('q='))?.slice(2) ?? 1);
  return /^"?utf-?8"?$/.test(charset) && quality >= 0 ? { type, parameters, quality, index } : undefined;
}
