import { HttpError } from './error.js';

/** How an answer's body is bounded (RFC 9112, 6.3). */
export type Framing = { kind: 'length'; length: number } | { kind: 'chunked' } | { kind: 'connection' };

export interface AnswerHead {
  status: number;
  framing: Framing;
  /** Whether the connection may be used again after it. */
  keepsOpen: boolean;
  /** How long, in ms, the server says it keeps an idle connection; undefined where it does not say. */
  idleMs: number | undefined;
}

/** What a reason or a value may have, and a line of a head or of trailers without its end: as sources of expressions. */
const text = String.raw`[\t\x20-\x7e\x80-\xff]*`;
export const field = `[!#$%&'*+\\-.^_\`|~0-9A-Za-z]+:${text}`;

/**
 * A whole head, and nothing that readers could take for different things: line ends are CRLF, names are tokens
 * with their colon at once, no header goes on in a second line, and nothing is a control character.
 */
const wellFormed = new RegExp(`^HTTP/1\\.[01] [1-5]\\d\\d(?: ${text})?(?:\\r\\n${field})*$`);
/** No `trim()`: that takes away more than blanks and tabs, which is for others a different value. */
const lengthValue = /^[ \t]*(\d{1,15})[ \t]*$/;
const chunkedValue = /^[ \t]*chunked[ \t]*$/i;
const closes = /(?:^|,)[ \t]*close[ \t]*(?:,|$)/i;
const timeout = /(?:^|,)[ \t]*timeout=(\d{1,6})[ \t]*(?:,|$)/i;
const start = 'HTTP/1.';
const bareLineFeed = /(?<!\r)\n/;
const afterVersion = 'HTTP/1.1 '.length;

/**
 * Looks at a head whose end has not come, and never may where it is none.
 * @throws HttpError where nothing that follows could make it one
 */
export function checkBeginning(head: string): void {
  if (!start.startsWith(head.slice(0, start.length)) || bareLineFeed.test(head)) throw noHead();
}

/**
 * Reads the head of an answer, without the empty line at its end.
 * @throws HttpError where it is none, or leaves it open where the answer ends
 */
export function readHead(head: string): AnswerHead {
  if (!wellFormed.test(head)) throw noHead();
  const status = Number(head.slice(afterVersion, afterVersion + 3));
  let length: number | undefined;
  let isChunked = false;
  let keepsOpen = head[afterVersion - 2] === '1';
  let idleMs: number | undefined;
  for (let at = head.indexOf('\r\n'); at >= 0; ) {
    const begin = at + 2;
    at = head.indexOf('\r\n', begin);
    const colon = head.indexOf(':', begin);
    // Most headers are told from these by the length of their name.
    const nameLength = colon - begin;
    if (nameLength !== 10 && nameLength !== 14 && nameLength !== 17) continue;
    const name = head.slice(begin, colon).toLowerCase();
    const value = head.slice(colon + 1, at < 0 ? undefined : at);
    if (name === 'content-length') {
      const digits = lengthValue.exec(value)?.[1];
      if (length !== undefined || digits === undefined)
        throw new HttpError('its answer has a content-length that is none');
      length = Number(digits);
    } else if (name === 'transfer-encoding') {
      if (isChunked || !chunkedValue.test(value))
        throw new HttpError('its answer has a transfer coding that nobody asked for');
      isChunked = true;
    } else if (name === 'connection') {
      if (closes.test(value)) keepsOpen = false;
    } else if (name === 'keep-alive') {
      const seconds = timeout.exec(value)?.[1];
      if (seconds !== undefined) idleMs = Number(seconds) * 1_000;
    }
  }
  if (isChunked && length !== undefined) throw new HttpError('its answer says in two ways where it ends');
  const framing = framingOf(status, length, isChunked);
  return { status, framing, keepsOpen: keepsOpen && framing.kind !== 'connection', idleMs };
}

const noHead = () => new HttpError('its answer does not begin as one of HTTP/1.1');

function framingOf(status: number, length: number | undefined, isChunked: boolean): Framing {
  if (status < 200 || status === 204 || status === 304) return { kind: 'length', length: 0 };
  if (isChunked) return { kind: 'chunked' };
  return length === undefined ? { kind: 'connection' } : { kind: 'length', length };
}
