/** What a word is known as: a name, a place, an ordinary word. The facts are unpacked (60 ms) when first asked for. */
import { brotliDecompressSync } from "node:zlib";
import { facts } from "./facts.ts";

/** Bits of a word's flags. */
export const female = 1;
export const male = 2;
/** A first name of at least 20,000 births. */
export const commonFirst = 4;
export const surname = 8;
/** Among the 5,000 commonest. */
export const commonSurname = 16;
/** Also written in lower case: "rose", "frank". */
export const ordinary = 32;
/** At least 500 times: "will", "may". */
export const veryOrdinary = 64;
export const town = 128;
export const city = 256;

export const first: number = female | male;
export const name: number = first | surname;
export const place: number = town | city;

interface Lexicon {
  /** By the word in lower case, of several words with a space between. */
  readonly flags: ReadonlyMap<string, number>;
  /** Rare names, which surrogates are taken from, so that none is likely to stand in the same note as itself. */
  readonly surnames: readonly string[];
  readonly femaleNames: readonly string[];
  readonly maleNames: readonly string[];
  readonly towns: readonly string[];
}

let opened: Lexicon | undefined;

export function lexicon(): Lexicon {
  opened ??= unpacked(brotliDecompressSync(Buffer.from(facts, "base64")).toString("latin1"));
  return opened;
}

function unpacked(text: string): Lexicon {
  const flags = new Map<string, number>();
  const [surnames, femaleNames, maleNames, towns]: string[][] = [[], [], [], []];
  for (const group of text.split("\n\n")) {
    const [bits, ...words] = group.split("\n");
    const value = Number(bits);
    for (const word of words) flags.set(word, value);
    const long = words.filter((word) => word.length >= 4);
    if (value === surname) surnames!.push(...long);
    if (value === female) femaleNames!.push(...long);
    if (value === male) maleNames!.push(...long);
    if (value === town) towns!.push(...words.filter((word) => /^[a-z]{4,}$/.test(word)));
  }
  return { flags, surnames: surnames!, femaleNames: femaleNames!, maleNames: maleNames!, towns: towns! };
}

/** Flags of a word or words in lower case; of "smith-jones" those that its parts share, ordinary if one of them is. */
export function flagsOf(lower: string): number {
  const { flags } = lexicon();
  const whole = flags.get(lower);
  if (whole !== undefined || lower.length > 40) return whole ?? 0;
  if (/[\u0080-\uffff]/.test(lower)) return flagsOf(lower.normalize("NFD").replace(/[\u0080-\uffff]/g, ""));
  if (lower.startsWith("st. ") || lower.startsWith("st ")) return flagsOf(lower.replace(/^st\.? /, "saint "));
  if (!/['’-]/.test(lower)) return 0;
  const joined = flags.get(lower.replace(/['’]/g, ""));
  if (joined !== undefined) return joined;
  const split = lower.split(/['’-]/);
  // "Al-Rashid", "D'Angelo", but not "ex-plantation".
  if (split.some((part) => part.length < 3 && !/^(?:al|el|de|la|le|o|d|l|di|da|bin)?$/.test(part))) return 0;
  const parts = split.filter((part) => part.length > 2);
  const each = parts.map((part) => flags.get(part) ?? 0);
  const shared = each.reduce((all, one) => all & one, name | place | commonFirst | commonSurname);
  return shared | each.reduce((all, one) => all | (one & (ordinary | veryOrdinary)), 0);
}
