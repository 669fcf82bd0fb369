const headEnd = Buffer.from('\r\n\r\n');

/**
 * Reads HTTP/1.1 messages, requests and answers alike, from a connection's bytes, and calls `onMessage` with the
 * head (start line and headers as they came) and the body of each. Only for ends that are known to speak HTTP:
 * it is here because it costs a tenth of node:http, so that neither the subgraphs nor the load are what is
 * measured.
 * @throws Error where the bytes are no such message, or one that goes on until its connection ends
 */
export function messageReader(onMessage: (head: string, body: Buffer) => void): (bytes: Buffer) => void {
  let parts: Buffer[] = [];
  let have = 0;
  /** A message is not looked at before so many bytes are there. */
  let wanted = 1;
  return (bytes) => {
    parts.push(bytes);
    have += bytes.length;
    while (have >= wanted && have > 0) {
      const buffer = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts, have);
      const message = readMessage(buffer);
      if (typeof message === 'number') {
        parts = [buffer];
        wanted = Math.max(message, have + 1);
        return;
      }
      have = buffer.length - message.end;
      parts = have > 0 ? [buffer.subarray(message.end)] : [];
      wanted = 1;
      onMessage(message.head, message.body);
    }
  };
}

interface Message {
  head: string;
  body: Buffer;
  /** Where the next one begins. */
  end: number;
}

/** The first message of the buffer, or, where it is not all there yet, the bytes that there must be at least. */
function readMessage(buffer: Buffer): Message | number {
  const end = buffer.indexOf(headEnd);
  if (end < 0) return buffer.length + 1;
  const head = buffer.toString('latin1', 0, end);
  const start = end + headEnd.length;
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length !== undefined) {
    const bodyEnd = start + Number(length);
    if (buffer.length < bodyEnd) return bodyEnd;
    return { head, body: buffer.subarray(start, bodyEnd), end: bodyEnd };
  }
  if (/\r\ntransfer-encoding: *chunked/i.test(head)) return readChunks(head, buffer, start);
  if (!/^[A-Z]+ /.test(head) || head.startsWith('HTTP/'))
    throw new Error(`an answer of unknown length:\n${head}`);
  return { head, body: buffer.subarray(start, start), end: start };
}

/** RFC 9112, 7.1: chunks of a length in hexadecimal, the last of them empty; trailers are not expected. */
function readChunks(head: string, buffer: Buffer, start: number): Message | number {
  const chunks: Buffer[] = [];
  for (let at = start; ; ) {
    const lineEnd = buffer.indexOf('\r\n', at);
    if (lineEnd < 0) return buffer.length + 1;
    const size = Number.parseInt(buffer.toString('latin1', at, lineEnd), 16);
    if (Number.isNaN(size)) throw new Error(`a chunk of no length:\n${head}`);
    const next = lineEnd + 2 + size + 2;
    if (buffer.length < next) return next;
    if (size === 0)
      return { head, body: chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks), end: next };
    chunks.push(buffer.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = next;
  }
}
