/** Longer texts are rare, and pay for two looks. */
const mostCharacters = 512 * 1024;
let scratch: Buffer | undefined;

/**
 * A text in UTF-8. `Buffer.from` looks at all of it twice, to measure it and to write it: this one writes it where
 * there is room for anything, and copies what it came to, which takes half as long.
 */
export function utf8(text: string): Buffer {
  if (text.length > mostCharacters) return Buffer.from(text);
  scratch ??= Buffer.allocUnsafeSlow(mostCharacters * 3);
  const length = scratch.write(text);
  const bytes = Buffer.allocUnsafeSlow(length);
  scratch.copy(bytes, 0, 0, length);
  return bytes;
}
