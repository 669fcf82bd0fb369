import { randomBytes } from 'node:crypto';

/** Stands in a text for an object that is written apart. No answer holds it, since nobody is told of it. */
const mark = randomBytes(12).toString('base64url');
const quotedMark = `"${mark}"`;

/** The objects that marks stand for in a text that is being made, in order; undefined when none is. */
let marked: object[] | undefined;

class Repeated {
  toJSON(key: string): unknown {
    // Only what is written itself has no key: fields have names, and elements of lists have numbers.
    if (!marked || key === '') return this;
    marked.push(this);
    return mark;
  }
}

/** Few fields are written sooner than an object is looked up. */
const fewFields = 3;

/** Tells `jsonOf` that an object stands in several places of an answer. To all else it is what it was. */
export function markRepeated(object: object): void {
  if (Object.keys(object).length > fewFields) Object.setPrototypeOf(object, Repeated.prototype);
}

function textOf(object: object): { text: string; repeated: readonly object[] } {
  const repeated: object[] = [];
  marked = repeated;
  try {
    return { text: JSON.stringify(object), repeated };
  } finally {
    marked = undefined;
  }
}

/** Shorter texts are left to Node, which sends them in one piece with the head of the response. */
const large = 16 * 1024;

/**
 * The JSON of an answer, as text or in UTF-8: what stands in several places (`markRepeated`) is made into JSON and
 * bytes once, and then copied. Large answers are written in pieces where there is room for anything: to
 * `Buffer.from`, one large text is one to look at twice, to measure it and to write it.
 * @throws RangeError where that comes to more than 512 MiB
 */
export function jsonOf(answer: object): string | Buffer {
  const { text, repeated } = textOf(answer);
  if (repeated.length === 0 && text.length <= large) return text;
  const writer = new Writer();
  try {
    writer.write(text, repeated);
    return writer.bytes();
  } finally {
    if (room.length > mostRoomKept) room = Buffer.alloc(0);
  }
}

const leastRoom = 1024 * 1024;
const mostRoomKept = 8 * leastRoom;
/** About what a text can have at most: repeats within repeats would go on for as long as there is memory. */
const mostBytes = 512 * leastRoom;
/** Where answers are written, one after the other. */
let room = Buffer.alloc(0);

class Writer {
  #length = 0;
  readonly #places = new Map<object, { start: number; end: number }>();

  write(text: string, repeated: readonly object[]): void {
    let at = 0;
    for (const object of repeated) {
      const end = text.indexOf(quotedMark, at);
      this.#writeText(text.slice(at, end));
      this.#writeObject(object);
      at = end + quotedMark.length;
    }
    this.#writeText(text.slice(at));
  }

  bytes(): Buffer {
    const bytes = Buffer.allocUnsafeSlow(this.#length);
    room.copy(bytes, 0, 0, this.#length);
    return bytes;
  }

  #writeText(text: string): void {
    this.#makeRoom(text.length > leastRoom ? Buffer.byteLength(text) : text.length * 3);
    this.#length += room.write(text, this.#length);
  }

  #writeObject(object: object): void {
    const known = this.#places.get(object);
    if (known) {
      this.#makeRoom(known.end - known.start);
      room.copyWithin(this.#length, known.start, known.end);
      this.#length += known.end - known.start;
      return;
    }
    const start = this.#length;
    const { text, repeated } = textOf(object);
    this.write(text, repeated);
    this.#places.set(object, { start, end: this.#length });
  }

  #makeRoom(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= room.length) return;
    if (needed > mostBytes) throw new RangeError(`an answer has at most ${mostBytes} bytes`);
    const larger = Buffer.allocUnsafeSlow(Math.max(leastRoom, Math.min(room.length * 2, mostBytes), needed));
    room.copy(larger, 0, 0, this.#length);
    room = larger;
  }
}
