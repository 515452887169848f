/**
 * Which pieces of byte pair encoding go on with the word of the piece before: words end at white space, which pieces
 * carry in front, and each run of punctuation is a word, as where whole words are masked.
 */
import { byteCharacters, bytesOf } from "./bytes.ts";

type Side = "space" | "word" | "other";

/** A function that says of two neighbouring pieces whether the second goes on with the word of the first. */
export function wordBounds(
  tokens: readonly string[],
  added: ReadonlySet<number>,
  byBytes: boolean,
): (before: number, id: number) => boolean {
  const space = byBytes ? byteCharacters[0x20] : "▁";
  const firsts = new Map<number, Side>();
  const lasts = new Map<number, Side>();
  const sideOf = (id: number, sides: Map<number, Side>, isFirst: boolean): Side | undefined => {
    const token = tokens[id];
    if (token === undefined || token === "" || added.has(id)) return undefined;
    let side = sides.get(id);
    if (side === undefined) sides.set(id, (side = byBytes ? ofBytes(token, isFirst) : ofCharacters(token, isFirst)));
    return side;
  };
  return (before, id) => {
    const left = sideOf(before, lasts, false);
    const right = sideOf(id, firsts, true);
    if (left === undefined || right === undefined || right === "space") return false;
    // A space by itself is the beginning of the word behind it.
    return left === right || tokens[before] === space;
  };
}

function ofBytes(token: string, isFirst: boolean): Side {
  const byte = bytesOf(token)?.at(isFirst ? 0 : -1);
  return byte === undefined ? "other" : ofByte(byte);
}

/** Bytes beyond ASCII are parts of letters, most of the time. */
function ofByte(byte: number): Side {
  return byte >= 0x80 ? "word" : ofCharacter(String.fromCharCode(byte));
}

function ofCharacters(token: string, isFirst: boolean): Side {
  const [, digits] = /^<0x([0-9A-F]{2})>$/.exec(token) ?? [];
  if (digits !== undefined) return ofByte(Number.parseInt(digits, 16));
  return ofCharacter(Array.from(token).at(isFirst ? 0 : -1)!);
}

function ofCharacter(character: string): Side {
  if (/[▁\p{White_Space}]/u.test(character)) return "space";
  return /[\p{L}\p{M}\p{N}]/u.test(character) ? "word" : "other";
}
