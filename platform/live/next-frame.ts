/** RFC 6455, 5.2: the whole of a text message. */
const textMessage = 0x81;
/** What begins a frame: lengths up to 125 stand in the second byte, others in 2 or 8 bytes after it. */
const headBytes = (length: number): number => (length < 126 ? 2 : length < 65_536 ? 4 : 10);

/** The frame that was made last, and where its payload stands. */
let last = { payload: '', start: '', frame: Buffer.alloc(0), from: 0, to: 0 };

/** How the `next` messages begin of what a client calls by this name. */
export const startOf = (name: string): string => `{"id":${JSON.stringify(name)},"type":"next","payload":`;

/**
 * The WebSocket frame of a `next` message, whose payload is JSON already. Of one payload that goes to many, only what
 * differs is made anew: nothing at all where they call their operations the same. It must not be changed.
 */
export function nextFrame(start: string, payload: string): Buffer {
  const isKnown = payload === last.payload;
  if (isKnown && start === last.start) return last.frame;
  const startBytes = Buffer.byteLength(start);
  const payloadBytes = isKnown ? last.to - last.from : Buffer.byteLength(payload);
  const length = startBytes + payloadBytes + 1;
  const head = headBytes(length);
  const frame = Buffer.allocUnsafe(head + length);
  frame[0] = textMessage;
  if (head === 2) frame[1] = length;
  else if (head === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 127;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  frame.write(start, head);
  const from = head + startBytes;
  const to = from + payloadBytes;
  if (isKnown) last.frame.copy(frame, from, last.from, last.to);
  else frame.write(payload, from);
  frame[to] = 0x7d;
  last = { payload, start, frame, from, to };
  return frame;
}
