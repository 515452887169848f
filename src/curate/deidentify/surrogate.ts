/**
 * What stands in an identifier's place: something like it, the same for the same identifier of a patient, and nothing that leads
 * back without the key. Every choice is a function of HMAC-SHA-256 (RFC 2104) over patient, kind and what is replaced. All dates of
 * a patient move by one number of days, 31 to 363 back, so that intervals stay. Of people each word of a name has its surrogate, as
 * "Smith, John", "John Smith" and "Mr. Smith" need no more to agree, even in different notes.
 */
import { createHmac } from "node:crypto";
import { type Found, maskOf } from "./classes.ts";
import { female, first, flagsOf, lexicon, male, surname } from "./lexicon.ts";
import { shiftedDate } from "./patterns/dates.ts";
import { particles, suffixes } from "./word-lists.ts";

export interface Surrogates {
  /** Days by which dates move: -31 to -363. */
  readonly days: number;
  /** In place of `text.slice(start, end)`. */
  replace(text: string, found: Found): string;
  /** For an identifier of the record itself: "p-3f0c9a5e7d21". */
  pseudonym(kind: string, value: string): string;
}

/** @param key of at least 16 bytes; @param patient what is the same for all notes of a patient. */
export function surrogatesOf(key: Uint8Array, patient: string): Surrogates {
  const hash = (kind: string, value: string): Buffer =>
    createHmac("sha256", key)
      .update(JSON.stringify([patient, kind, value]))
      .digest();
  // At least a month and no whole weeks, so that a month or a weekday alone is another one, too.
  const drawn = 32 + (hash("days", "").readUInt32LE(0) % 332);
  const days = -(drawn % 7 === 0 ? drawn - 1 : drawn);
  const cache = new Map<string, string>();
  const remembered = (kind: string, value: string, make: (digest: Buffer) => string): string => {
    const name = `${kind}\n${value}`;
    let made = cache.get(name);
    if (made === undefined) cache.set(name, (made = make(hash(kind, value))));
    return made;
  };
  const chosen = (kind: string, value: string, from: readonly string[]): string =>
    remembered(kind, value, (digest) => {
      const at = digest.readUInt32LE(0) % from.length;
      return from[at] === value ? from[(at + 1) % from.length]! : from[at]!;
    });
  // Of names the first letters map, too, so that "J. Smith" and "J.S." go with "John Smith".
  const wordFor = (lower: string): string => {
    const { kind, from } = namesLike(lower);
    return chosen(kind, lower, startingWith(from, initialFor(lower[0]!, remembered)));
  };
  return {
    days,
    replace: (text, found) => replacement(text, found, { days, remembered, wordFor, chosen }),
    pseudonym: (kind, value) => `${kind.slice(0, 1)}-${hash(`pseudonym ${kind}`, value).toString("hex").slice(0, 12)}`,
  };
}

interface Tools {
  readonly days: number;
  readonly remembered: (kind: string, value: string, make: (digest: Buffer) => string) => string;
  readonly wordFor: (lower: string) => string;
  readonly chosen: (kind: string, value: string, from: readonly string[]) => string;
}

/** Decided by the word alone, wherever it stands, so that it is the same in every note. */
function namesLike(lower: string): { kind: string; from: readonly string[] } {
  const { surnames, femaleNames, maleNames } = lexicon();
  const flags = flagsOf(lower);
  const isFirst = (flags & first) !== 0 && ((flags & surname) === 0 || (flags & 4) !== 0);
  if (!isFirst) return { kind: "surname", from: surnames };
  const isFemale = (flags & female) !== 0 && (flags & male) === 0;
  const isMale = (flags & male) !== 0 && (flags & female) === 0;
  const isEither = !isFemale && !isMale && lower.charCodeAt(0) % 2 === 0;
  return { kind: "first", from: isFemale || isEither ? femaleNames : maleNames };
}

const byLetter = new WeakMap<readonly string[], Map<string, string[]>>();

function startingWith(names: readonly string[], letter: string): readonly string[] {
  let groups = byLetter.get(names);
  if (groups === undefined) {
    byLetter.set(names, (groups = new Map()));
    for (const one of names) {
      const first = one[0]!.toUpperCase();
      if (groups.get(first)?.push(one) === undefined) groups.set(first, [one]);
    }
  }
  return groups.get(letter) ?? names;
}

function replacement(text: string, found: Found, tools: Tools): string {
  const original = text.slice(found.start, found.end);
  switch (found.class) {
    case "NAME":
      return inName(original, tools);
    case "LOCATION":
      return inPlace(original, found.rule, tools);
    case "DATE":
      return shiftedDate(text, found, tools.days) ?? maskOf("DATE");
    case "AGE":
      return "90+";
    case "EMAIL":
      return original.includes("@") && !original.startsWith("@")
        ? `${inFormat(original.slice(0, original.indexOf("@")), "EMAIL", tools)}@example.org`
        : inFormat(original, "EMAIL", tools);
    case "URL":
      return `https://example.org/${tools.remembered("url", original, (digest) => digest.toString("hex").slice(0, 8))}`;
    case "IP":
      return original.includes(":")
        ? `2001:db8::${tools.remembered("ip", original, (digest) => digest.toString("hex").slice(0, 4))}`
        : `192.0.2.${tools.remembered("ip", original, (digest) => String(1 + (digest[0]! % 254)))}`;
    default:
      return inFormat(original, found.class, tools);
  }
}

const nameWord = /[A-Za-zÀ-ɏ]+/g;

function inName(original: string, { wordFor, remembered }: Tools): string {
  const whole = original.match(nameWord) ?? [];
  const isInitials = whole.every((word) => word.length === 1) || /^[A-Z]{2,3}$/.test(original);
  return original.replace(nameWord, (word, at: number) => {
    const lower = word.toLowerCase();
    if (particles.has(lower) || suffixes.has(lower) || /^(?:and|or|mc|o)$/.test(lower)) return word;
    if (isInitials) {
      return [...word].map((letter) => initialFor(letter, remembered)).join("");
    }
    if (word.length === 1) return at > 0 && /['’]$/.test(original.slice(0, at)) ? word : initialFor(word, remembered);
    return cased(word, wordFor(lower));
  });
}

/** Many names begin so. */
const letters = "ABCDEGHJKLMRST";
const initialFor = (letter: string, remembered: Tools["remembered"]): string =>
  remembered("initial", letter.toUpperCase(), (digest) => {
    const other = letters.replace(letter.toUpperCase(), "");
    return other[digest[0]! % other.length]!;
  });

/** SMITH, Smith, smith. */
function cased(like: string, word: string): string {
  if (like.length > 1 && like === like.toUpperCase()) return word.toUpperCase();
  if (like === like.toLowerCase()) return word;
  return word.replace(/(^|[ '-])([a-z])/g, (_, before: string, letter: string) => before + letter.toUpperCase());
}

/**
 * Three-digit ZIP areas of at most 20,000 people by the census of 2000, as the guidance to 45 CFR 164.514(b) lists them: of these
 * nothing may stay.
 */
const smallAreas = new Set("036 059 063 102 203 556 692 790 821 823 830 831 878 879 884 890 893".split(" "));

/** Words in a place's name that say what it is. */
const kept =
  /^(?:street|st|avenue|ave|av|road|rd|boulevard|blvd|lane|ln|drive|dr|court|ct|place|pl|parkway|pkwy|highway|hwy|circle|cir|terrace|ter|trail|trl|square|sq|way|turnpike|pike|crescent|alley|loop|plaza|route|rte|apt|apartment|suite|ste|unit|bldg|building|lot|n|s|e|w|ne|nw|se|sw|north|south|east|west|p|o|po|box|county|parish|township|borough|hospital|hospitals|clinic|clinics|medical|health|healthcare|center|centre|nursing|home|university|college|school|high|church|pharmacy|manor|pavilion|of|the|and|in|at|rehabilitation|rehab|institute|memorial|regional|general|community|assisted|living|care|system|services|group|associates|hospice|infirmary|facility|cancer|surgery|imaging|elementary|middle|rd|th|nd)$/i;

function inPlace(original: string, rule: string, tools: Tools): string {
  if (rule === "zip" || rule === "postcode") return inZip(original, tools);
  const { towns } = lexicon();
  const isTown = rule === "city" || rule === "place";
  // A town of several words is one.
  if (isTown)
    return cased(
      original.match(/[A-Za-zÀ-ɏ]+/)?.[0] ?? original,
      tools.chosen("town", original.toLowerCase().replace(/\s+/g, " "), towns),
    );
  const named = original.replace(/[A-Za-zÀ-ɏ]+(?:['’]s)?/g, (word) => {
    if (kept.test(word)) return word;
    const possessive = /['’]s$/.exec(word)?.[0] ?? "";
    const plain = word.slice(0, word.length - possessive.length);
    if (plain.length === 1) return initialFor(plain, tools.remembered);
    return cased(plain, tools.chosen("place", plain.toLowerCase(), lexicon().surnames)) + possessive;
  });
  return named.replace(/\d+/g, (digits) => inFormat(digits, "street", tools));
}

/** The first three digits may stay where more than 20,000 people live. */
function inZip(original: string, tools: Tools): string {
  if (!/^\d{5}/.test(original)) return inFormat(original, "zip", tools);
  const area = smallAreas.has(original.slice(0, 3)) ? "000" : original.slice(0, 3);
  return area + inFormat(original.slice(3), `zip ${area}`, tools);
}

/** Digits for digits, letters for letters, everything else as it is; the same however it is grouped. Never itself. */
function inFormat(original: string, kind: string, { remembered }: Tools): string {
  const plain = original.replace(/[^A-Za-z0-9]/g, "").toUpperCase();
  const made = remembered(kind, plain, (digest) => {
    const bytes = Buffer.concat([digest, createHmac("sha256", digest).update(plain).digest()]);
    const out = [...plain].map((character, i) => {
      const byte = bytes[i % bytes.length]! + Math.floor(i / bytes.length) * 7;
      return /\d/.test(character) ? String(byte % 10) : String.fromCharCode(65 + (byte % 26));
    });
    if (out.join("") === plain && out.length > 0)
      out[0] = /\d/.test(plain[0]!) ? String((Number(plain[0]) + 1) % 10) : plain[0] === "A" ? "B" : "A";
    // The area of a social security number that is never issued; of a number that begins so, a nought would be lost.
    if (kind === "SSN" && out.length === 9) out[0] = "9";
    else if (out[0] === "0" && plain[0] !== "0") out[0] = "7";
    return out.join("");
  });
  let at = 0;
  return original.replace(/[A-Za-z0-9]/g, (character) => {
    const next = made[at++]!;
    return character >= "a" && character <= "z" ? next.toLowerCase() : next;
  });
}
