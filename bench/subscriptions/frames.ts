/** What RFC 6455 calls kinds of frames. */
export const opcodes = { text: 1, close: 8, ping: 9, pong: 10 } as const;

/** What a frame has: the bytes of a chunk between two places, which are somebody else's soon after. */
export type OnFrame = (opcode: number, chunk: Buffer, from: number, to: number) => void;

/**
 * Finds the frames in what a WebSocket server sends, which masks none: nothing is copied but the beginning of a frame
 * whose end has yet to come.
 */
export class FrameReader {
  readonly #onFrame: OnFrame;
  #rest: Buffer | undefined;

  constructor(onFrame: OnFrame) {
    this.#onFrame = onFrame;
  }

  read(chunk: Buffer): void {
    const bytes = this.#rest ? Buffer.concat([this.#rest, chunk]) : chunk;
    let at = 0;
    while (at + 2 <= bytes.length) {
      const short = (bytes[at + 1] as number) & 0x7f;
      const from = at + (short === 126 ? 4 : short === 127 ? 10 : 2);
      if (from > bytes.length) break;
      const length =
        short === 126
          ? bytes.readUInt16BE(at + 2)
          : short === 127
            ? Number(bytes.readBigUInt64BE(at + 2))
            : short;
      const to = from + length;
      if (to > bytes.length) break;
      this.#onFrame((bytes[at] as number) & 0x0f, bytes, from, to);
      at = to;
    }
    this.#rest = at === bytes.length ? undefined : Buffer.from(bytes.subarray(at));
  }
}

/** A frame as a client sends it. The mask is one that changes nothing: it is there against proxies, of which there are none. */
export function clientFrame(opcode: number, text: string): Buffer {
  const payload = Buffer.from(text);
  const { length } = payload;
  if (length >= 65_536) throw new Error('a frame of a client is shorter here');
  const head = length > 125 ? [126, length >> 8, length & 0xff] : [length];
  head[0] = (head[0] as number) | 0x80;
  return Buffer.concat([Buffer.from([0x80 | opcode, ...head, 0, 0, 0, 0]), payload]);
}
