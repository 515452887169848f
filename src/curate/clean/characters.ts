/**
 * Rules on single characters: those that decoding, typesetting or copying left in a text. Compatibility forms that mean something
 * (², ½, µ) stay; Unicode NFC (UAX #15) and the letters of ligatures are the only ones that become others.
 */
import { repeatedly, replaceAll, type CleanRule } from "./rule.ts";

/** Bytes 0x80 to 0x9f as Windows-1252 shows them; five have no character and stay controls. */
const windows = "€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ";
const byteOf = new Map<string, number>([...windows].map((character, i) => [character, 0x80 + i]));
for (let byte = 0x80; byte < 0x100; byte++) byteOf.set(String.fromCharCode(byte), byte);

const tail = `[${windows}\u0080-\u00bf]`;
/** What UTF-8 of two to four bytes looks like where it was read as Windows-1252 or Latin 1; leads that begin words are left. */
const misread = new RegExp(`[ÂÃÎÏ]${tail}|[áâïã]${tail}{2}|ð${tail}{3}`, "g");
const decoder = new TextDecoder("utf-8", { fatal: true });

function decoded(text: string): string | undefined {
  const bytes = Uint8Array.from(text, (character) => byteOf.get(character)!);
  try {
    const read = decoder.decode(bytes);
    return /\p{Cc}/u.test(read) ? undefined : read;
  } catch {
    return undefined;
  }
}

const ligatures: Readonly<Record<string, string>> = {
  ﬀ: "ff",
  ﬁ: "fi",
  ﬂ: "fl",
  ﬃ: "ffi",
  ﬄ: "ffl",
  ﬅ: "st",
  ﬆ: "st",
};

export const characterRules: readonly CleanRule[] = [
  {
    name: "mojibake",
    about: 'UTF-8 that was read as Windows-1252: "â€™" is "’" again',
    proseOnly: false,
    apply: (text) => repeatedly(text, (one) => replaceAll(one, misread, ([match]) => decoded(match))),
  },
  {
    name: "line-ends",
    about: "carriage returns and other ends of lines become line feeds",
    proseOnly: false,
    apply: (text) =>
      replaceAll(text, /\r\n?|[\v\f\u0085\u2028]|\u2029/g, ([end]) => (end === "\u2029" ? "\n\n" : "\n")),
  },
  {
    name: "control-characters",
    about: "control characters, byte order marks, and halves of characters go",
    proseOnly: false,
    apply: (text) => replaceAll(text, /[^\P{Cc}\t-\r\u0085]|[\ufeff\ufff9-\ufffb\ufffe\uffff]|\p{Cs}/gu, () => ""),
  },
  {
    name: "zero-width",
    about: "characters without width go, joiners of scripts and emoji apart",
    proseOnly: false,
    apply: (text) =>
      replaceAll(
        text,
        /[\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069]|(?<=[\p{ASCII}\p{Script=Latin}])[\u200c\u200d]+(?=[\p{ASCII}\p{Script=Latin}])/gu,
        () => "",
      ),
  },
  {
    name: "soft-hyphens",
    about: "soft hyphens go, with the line break behind one",
    proseOnly: false,
    apply: (text) => replaceAll(text, /\u00ad(?:[ \t]*\n(?!\n))?/g, () => ""),
  },
  {
    name: "ligatures",
    about: '"ﬁ" is "fi"',
    proseOnly: false,
    apply: (text) => replaceAll(text, /[\ufb00-\ufb06]/g, ([ligature]) => ligatures[ligature]),
  },
  {
    name: "unicode",
    about: "Unicode NFC: letters and marks are one character where there is one",
    proseOnly: false,
    apply: (text) => {
      const composed = text.normalize("NFC");
      return { text: composed, count: composed === text ? 0 : 1 };
    },
  },
];
