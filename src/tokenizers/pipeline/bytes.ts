/**
 * GPT-2's alphabet for bytes (Radford et al. 2019, encoder.py): a printable character of Latin-1 stands for its own byte,
 * the others are numbered from U+0100 on, so that a space is "Ġ" and a line feed "Ċ".
 */

/** Byte → character. */
export const byteCharacters: readonly string[] = (() => {
  const isPrintable = (byte: number): boolean =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(isPrintable(byte) ? byte : next++));
})();

const bytesOfCharacters: ReadonlyMap<string, number> = new Map(
  byteCharacters.map((character, byte) => [character, byte]),
);

/** The bytes that a piece stands for; undefined where one of its characters stands for none. */
export function bytesOf(piece: string): number[] | undefined {
  const bytes: number[] = [];
  for (const character of piece) {
    const byte = bytesOfCharacters.get(character);
    if (byte === undefined) return undefined;
    bytes.push(byte);
  }
  return bytes;
}

const utf8 = new TextEncoder();

/** `text` in the alphabet of bytes. */
export function inByteCharacters(text: string): string {
  let written = "";
  for (const byte of utf8.encode(text)) written += byteCharacters[byte]!;
  return written;
}
