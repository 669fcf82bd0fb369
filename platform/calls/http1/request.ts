/** A request as it is written. */
export interface HttpRequest {
  /** The request line and the headers, with the empty line at their end. */
  head: string;
  body: string;
  /** Whether all of it is ASCII, where every encoding is the same. */
  isAscii: boolean;
}

/** The beginning of a request to a URL. */
export const startOf = (method: 'GET' | 'POST', { host, pathname, search }: URL): string =>
  `${method} ${pathname}${search} HTTP/1.1\r\nhost: ${host}\r\n`;

/** What would end a header, or is no character of one: a text of a client's is not to add any. */
const misfit = /[^\t\x20-\x7e\x80-\xff]/;

/**
 * A request of `start`, its line and the headers that all of its kind have, each with its line end, and of what it has
 * itself.
 * @throws TypeError where a value cannot be a header's
 */
export function httpRequest(
  start: string,
  headers: Readonly<Record<string, string>>,
  body: string,
): HttpRequest {
  const length = Buffer.byteLength(body);
  // A GET has no body, and need not say so.
  let head = length > 0 || !start.startsWith('GET') ? `${start}content-length: ${length}\r\n` : start;
  for (const name in headers) {
    const value = headers[name] as string;
    if (misfit.test(value)) throw new TypeError(`the header ${name} has characters that none can have`);
    head += `${name}: ${value}\r\n`;
  }
  return { head: `${head}\r\n`, body, isAscii: length === body.length };
}
