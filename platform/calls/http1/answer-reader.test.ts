import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CallError } from '../error.js';
import { type Answer, AnswerReader, type Room } from './answer-reader.js';
import { HttpError } from './error.js';

const mebibyte = 1024 * 1024;
const roomy = (): Room => ({ taken: 0, most: 100 * mebibyte });

/** What is read of the bytes, which come in these pieces; the last of them are followed by the connection's end where `ends`. */
function read(pieces: readonly Buffer[], { room = roomy(), limit = mebibyte, ends = false } = {}) {
  const reader = new AnswerReader({ answer: limit, room });
  let answer: Answer | undefined;
  // All connections read into one buffer: what was read is overwritten.
  const incoming = Buffer.alloc(Math.max(0, ...pieces.map(({ length }) => length)));
  for (const piece of pieces) {
    // As on a connection, where it comes when nothing was asked.
    if (answer) throw new HttpError('there are bytes after the end of its answer');
    piece.copy(incoming);
    answer = reader.read(incoming.subarray(0, piece.length));
    incoming.fill('?');
  }
  if (ends) answer = reader.end();
  reader.leave();
  return { answer, head: reader.head };
}

const bytesOf = (text: string): Buffer[] => [Buffer.from(text)];
const eachByte = (text: string): Buffer[] => [...Buffer.from(text)].map((byte) => Buffer.of(byte));

const ok = 'HTTP/1.1 200 OK\r\n';
const readable: [string, string, Answer][] = [
  ['a length', `${ok}Content-Length: 6\r\n\r\nhüllo`, { status: 200, text: 'hüllo' }],
  ['no reason', 'HTTP/1.1 404\r\ncontent-length:0\r\n\r\n', { status: 404, text: '' }],
  ['HTTP/1.0', 'HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nhi', { status: 200, text: 'hi' }],
  ['no body by its status', 'HTTP/1.1 204 No Content\r\n\r\n', { status: 204, text: '' }],
  ['the length of another', 'HTTP/1.1 304 \r\ncontent-length: 5\r\n\r\n', { status: 304, text: '' }],
  [
    'chunks',
    `${ok}Transfer-Encoding: Chunked\r\n\r\n3\r\nh\u00fc\r\n00a;ext="1"\r\n0123456789\r\n0\r\n\r\n`,
    { status: 200, text: 'hü0123456789' },
  ],
  [
    'trailers',
    `${ok}transfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\nx: y\r\nz: 1\r\n\r\n`,
    { status: 200, text: 'a' },
  ],
  [
    'others that tell of it',
    `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n${ok}content-length: 1\r\n\r\na`,
    { status: 200, text: 'a' },
  ],
];

describe('an answer', () => {
  test.each(readable)('with %s is read at once and byte by byte', (_name, text, answer) => {
    expect(read(bytesOf(text)).answer).toEqual(answer);
    expect(read(eachByte(text)).answer).toEqual(answer);
  });

  test('may come after any number of others that tell of it', () => {
    const text = `${'HTTP/1.1 100\r\n\r\n'.repeat(20_000)}${ok}content-length: 1\r\n\r\na`;
    expect(read(bytesOf(text)).answer).toEqual({ status: 200, text: 'a' });
  });

  test('without a length goes on to the end of its connection', () => {
    const text = `${ok}\r\nhello`;
    expect(read(bytesOf(text)).answer).toBeUndefined();
    expect(read(eachByte(text), { ends: true })).toMatchObject({
      answer: { text: 'hello' },
      head: { keepsOpen: false },
    });
  });

  test.each([
    ['in its head', ok],
    ['in its body', `${ok}content-length: 6\r\n\r\nhello`],
    ['in a chunk', `${ok}transfer-encoding: chunked\r\n\r\n5\r\nhel`],
    ['before its last chunk', `${ok}transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n`],
  ])('that ends %s is none', (_name, text) => {
    expect(() => read(bytesOf(text), { ends: true })).toThrow(HttpError);
  });

  const length = 'content-length: 1\r\n';
  const chunked = `${ok}transfer-encoding: chunked\r\n\r\n`;
  test.each([
    ['another protocol', 'SSH-2.0-OpenSSH_9\r\n\r\n'],
    ['HTTP/2', 'HTTP/2 200 OK\r\n\r\n'],
    ['a status of four digits', 'HTTP/1.1 2000 OK\r\n\r\n'],
    ['a change of protocols', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
    ['lines that end by LF', `HTTP/1.1 200 OK\n${length}\r\n\r\na`],
    ['a header in two lines', `${ok}x: a\r\n b\r\n${length}\r\na`],
    ['a space before the colon', `${ok}content-length : 1\r\n\r\na`],
    ['a header without a colon', `${ok}content-length 1\r\n\r\n`],
    ['a NUL', `${ok}x: \0\r\n${length}\r\na`],
    ['a control character', `${ok}x: \x01\r\n${length}\r\na`],
    ['a control character in its reason', `HTTP/1.1 200 \x7f\r\n${length}\r\na`],
    ['a length after what is no blank', `${ok}content-length:\u00a01\r\n\r\na`],
    ['chunks after what is no blank', `${ok}transfer-encoding:\u000bchunked\r\n\r\n0\r\n\r\n`],
    ['two lengths', `${ok}${length}${length}\r\na`],
    ['a list of lengths', `${ok}content-length: 1, 1\r\n\r\na`],
    ['a negative length', `${ok}content-length: -1\r\n\r\n`],
    ['a length in hexadecimal', `${ok}content-length: 0x1\r\n\r\na`],
    ['a length and chunks', `${ok}${length}transfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n`],
    ['chunks twice', `${ok}transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['a coding that nobody asked for', `${ok}transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n`],
    ['bytes after its body', `${ok}${length}\r\nab`],
    ['bytes after its last chunk', `${chunked}0\r\n\r\na`],
    ['a head without end', `${ok}x: ${'a'.repeat(20_000)}`],
    ['a head that is too long', `${ok}x: ${'a'.repeat(20_000)}\r\n\r\n`],
    ['a chunk that is no number', `${chunked}g\r\na\r\n`],
    ['a chunk of a negative number', `${chunked}-1\r\na\r\n`],
    ['a chunk without a number', `${chunked}\r\n`],
    ['a chunk longer than it says', `${chunked}1\r\nab\r\n`],
    ['a chunk that ends by LF', `${chunked}1\na\r\n`],
    ['a chunk whose size never ends', `${chunked}1;${'a'.repeat(20_000)}`],
    ['a chunk of more than numbers hold', `${chunked}10000000000001\r\na`],
    ['a blank after the size of a chunk', `${chunked}1 \r\na\r\n0\r\n\r\n`],
    ['a trailer without a colon', `${chunked}0\r\nHTTP/1.1 200 OK\r\n\r\n`],
    ['a trailer with a space before its colon', `${chunked}0\r\nx : y\r\n\r\n`],
    ['a trailer of two lines by CR', `${chunked}0\r\nx: y\rz: 1\r\n\r\n`],
    ['a control character in a chunk’s extension', `${chunked}1;\x01\r\na\r\n0\r\n\r\n`],
    ['trailers without end', `${chunked}0\r\n${'x: y\r\n'.repeat(5_000)}`],
  ])('with %s is none', (_name, text) => {
    const bytes = Buffer.from(text, 'latin1');
    expect(() => read([bytes])).toThrow(HttpError);
    expect(() => read([...bytes].map((byte) => Buffer.of(byte)))).toThrow(HttpError);
  });

  test.each([
    ['another protocol', 'SSH-2.0-OpenSSH_9\r\n'],
    ['a single byte', '\0'],
    ['lines that end by LF', `HTTP/1.1 200 OK\ncontent-length: 0\n\n`],
    ['another protocol after one that tells of it', 'HTTP/1.1 100 Continue\r\n\r\n{"data":'],
  ])('that begins with %s is none at once: its end may never come', (_name, text) => {
    expect(() => read(bytesOf(text))).toThrow(HttpError);
    expect(() => read(eachByte(text))).toThrow(HttpError);
  });

  test.each([
    ['that says so', `${ok}content-length: 101\r\n\r\n`],
    ['in chunks', `${ok}transfer-encoding: chunked\r\n\r\n65\r\n${'a'.repeat(101)}`],
    ['to the end of its connection', `${ok}\r\n${'a'.repeat(101)}`],
  ])('that is too large, %s, is refused', (_name, text) => {
    expect(() => read(bytesOf(text), { limit: 100 })).toThrow(CallError);
  });

  test('gives back the room that it took, and takes none where it comes at once', () => {
    const room = roomy();
    read(bytesOf(`${ok}content-length: 5\r\n\r\nhe`), { room });
    read(eachByte(`${ok}transfer-encoding: chunked\r\n\r\n2\r\nhe\r\n0\r\n\r\n`), { room });
    expect(room.taken).toBe(0);
    const reader = new AnswerReader({ answer: 10, room });
    reader.read(Buffer.from(`${ok}content-length: 5\r\n\r\nhello`));
    expect(room.taken).toBe(0);
  });
});

test('where there is no room left, a small one is read all the same, and a large one is not', () => {
  const room: Room = { taken: 0, most: mebibyte };
  const other = new AnswerReader({ answer: 2 * mebibyte, room });
  other.read(Buffer.from(`${ok}content-length: ${2 * mebibyte}\r\n\r\n${'a'.repeat(mebibyte - 1_000)}`));
  const small = ['a'.repeat(500_000), 'b'.repeat(500_000)];
  const beginning = Buffer.from(`${ok}content-length: 1000000\r\n\r\n`);
  const answer = read([beginning, ...small.map((one) => Buffer.from(one))], { room }).answer;
  expect(answer?.text).toBe(small.join(''));
  expect(() => other.read(Buffer.alloc(2_000))).toThrow(expect.objectContaining({ outcome: 'full' }));
  other.leave();
  expect(room.taken).toBe(0);
});

describe('whether its connection stays open', () => {
  test.each([
    ['', true, undefined],
    ['connection: close\r\n', false, undefined],
    ['Connection: Keep-Alive, Close\r\n', false, undefined],
    ['connection: closer\r\n', true, undefined],
    ['Keep-Alive: timeout=5\r\n', true, 5_000],
    ['keep-alive: max=10, Timeout=7\r\n', true, 7_000],
    ['keep-alive: timeout=soon\r\n', true, undefined],
  ])('%j', (header, keepsOpen, idleMs) => {
    const { head } = read(bytesOf(`${ok}${header}content-length: 0\r\n\r\n`));
    expect(head).toMatchObject({ keepsOpen, idleMs });
  });

  test('HTTP/1.0 closes it', () => {
    expect(read(bytesOf('HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n')).head?.keepsOpen).toBe(false);
  });
});

const pieces = (bytes: Buffer, cuts: readonly number[]): Buffer[] => {
  const at = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...at].map((begin, n) => bytes.subarray(begin, at[n])).filter(({ length }) => length > 0);
};

test('whatever its chunks and its pieces, an answer is what was sent', () => {
  const chunks = fc.array(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }), { maxLength: 8 });
  fc.assert(
    fc.property(
      chunks,
      fc.boolean(),
      fc.array(fc.nat(1_000), { maxLength: 12 }),
      (texts, isChunked, cuts) => {
        const text = texts.join('');
        const sized = texts.map((one) => `${Buffer.byteLength(one).toString(16)}\r\n${one}\r\n`);
        const bytes = Buffer.from(
          isChunked
            ? `${ok}transfer-encoding: chunked\r\n\r\n${sized.join('')}0\r\n\r\n`
            : `${ok}content-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
        );
        expect(read(pieces(bytes, cuts)).answer).toEqual({ status: 200, text });
      },
    ),
    { numRuns: 500 },
  );
});

test('whatever comes, it is an answer, the beginning of one, or refused', () => {
  const change = fc.record({
    at: fc.nat(200),
    by: fc.constantFrom('', '\r\n', '\n', '0', '\0', ':', ' ', 'f'),
  });
  const cuts = fc.array(fc.nat(1_000), { maxLength: 5 });
  fc.assert(
    fc.property(
      fc.constantFrom(...readable),
      fc.array(change, { maxLength: 4 }),
      cuts,
      (one, changes, at) => {
        let text = one[1];
        for (const { at: where, by } of changes) text = text.slice(0, where) + by + text.slice(where + 1);
        const outcome = (given: readonly Buffer[]) => {
          try {
            return read(given).answer;
          } catch (error) {
            if (error instanceof HttpError || error instanceof CallError) return 'refused';
            throw error;
          }
        };
        // However it is cut, it is the same.
        expect(outcome(pieces(Buffer.from(text), at))).toEqual(outcome(bytesOf(text)));
      },
    ),
    { numRuns: 2_000 },
  );
});
