/**
 * English stems by Snowball's "English" algorithm (Porter2, https://snowballstem.org/algorithms/english/stemmer.html), for
 * words of small ASCII letters; others are given back as they are. Left out: apostrophes, which no word here holds.
 */

const vowels = "aeiouy";
/** Words whose stem is not what the rules give, or that are left alone. */
const exceptions: ReadonlyMap<string, string> = new Map(
  Object.entries({
    skis: "ski",
    skies: "sky",
    dying: "die",
    lying: "lie",
    tying: "tie",
    idly: "idl",
    gently: "gentl",
    ugly: "ugli",
    early: "earli",
    only: "onli",
    singly: "singl",
    sky: "sky",
    news: "news",
    howe: "howe",
    atlas: "atlas",
    cosmos: "cosmos",
    bias: "bias",
    andes: "andes",
  }),
);
/** Left alone once a plural ending is gone. */
const invariant: ReadonlySet<string> = new Set(
  "inning outing canning herring earring proceed exceed succeed".split(" "),
);
/** Endings, the longest first, with what takes their place in the first region. */
const step2: readonly (readonly [string, string])[] = [
  ["ization", "ize"],
  ["ational", "ate"],
  ["fulness", "ful"],
  ["ousness", "ous"],
  ["iveness", "ive"],
  ["tional", "tion"],
  ["biliti", "ble"],
  ["lessli", "less"],
  ["entli", "ent"],
  ["ation", "ate"],
  ["alism", "al"],
  ["aliti", "al"],
  ["ousli", "ous"],
  ["iviti", "ive"],
  ["fulli", "ful"],
  ["enci", "ence"],
  ["anci", "ance"],
  ["abli", "able"],
  ["izer", "ize"],
  ["ator", "ate"],
  ["alli", "al"],
  ["bli", "ble"],
  ["ogi", "og"],
  ["li", ""],
];
const step3: readonly (readonly [string, string])[] = [
  ["ational", "ate"],
  ["tional", "tion"],
  ["alize", "al"],
  ["icate", "ic"],
  ["iciti", "ic"],
  ["ative", ""],
  ["ical", "ic"],
  ["ness", ""],
  ["ful", ""],
];
const step4: readonly string[] = "ement ance ence able ible ment ant ent ism ate iti ous ive ize ion al er ic".split(
  " ",
);

const isVowel = (word: string, i: number): boolean => vowels.includes(word.charAt(i)) && i < word.length && i >= 0;

/** Where the region after the first consonant behind a vowel begins, from `start` on. */
function regionAfter(word: string, start: number): number {
  for (let i = start + 1; i < word.length; i++) if (!isVowel(word, i) && isVowel(word, i - 1)) return i + 1;
  return word.length;
}

/** Whether a word ends in a short syllable: two letters with a vowel first, or consonant, vowel, other consonant. */
function endsShort(word: string): boolean {
  const last = word.length - 1;
  if (word.length === 2) return isVowel(word, 0) && !isVowel(word, 1);
  return (
    last >= 2 &&
    !isVowel(word, last) &&
    !/[wxY]/.test(word[last]!) &&
    isVowel(word, last - 1) &&
    !isVowel(word, last - 2)
  );
}

const hasVowel = (text: string): boolean => /[aeiouy]/.test(text);

/** Plurals: "ies", "sses", "s". */
function step1a(word: string): string {
  if (word.endsWith("sses")) return word.slice(0, -2);
  if (word.endsWith("ied") || word.endsWith("ies")) return word.slice(0, word.length > 4 ? -2 : -1);
  if (word.endsWith("us") || word.endsWith("ss")) return word;
  // The vowel that lets an "s" go is not the one just before it: "gas" stays, "gaps" does not.
  return word.endsWith("s") && hasVowel(word.slice(0, -2)) ? word.slice(0, -1) : word;
}

/** "eed", "ed", "ing", each with "ly" or without. */
function step1b(word: string, first: number): string {
  const eed = /eed(?:ly)?$/.exec(word);
  if (eed !== null) return eed.index >= first ? `${word.slice(0, eed.index)}ee` : word;
  const ending = /(?:ed|ing)(?:ly)?$/.exec(word);
  if (ending === null || !hasVowel(word.slice(0, ending.index))) return word;
  const rest = word.slice(0, ending.index);
  if (/(?:at|bl|iz)$/.test(rest)) return `${rest}e`;
  if (/(?:bb|dd|ff|gg|mm|nn|pp|rr|tt)$/.test(rest)) return rest.slice(0, -1);
  return rest.length <= first && endsShort(rest) ? `${rest}e` : rest;
}

function replaceEnding(word: string, first: number, second: number): string {
  const found = step2.find(([ending]) => word.endsWith(ending));
  let now = word;
  if (found !== undefined) {
    const [ending, other] = found;
    const start = word.length - ending.length;
    const before = word.charAt(start - 1);
    const fits = ending === "ogi" ? before === "l" : ending === "li" ? /[cdeghkmnrt]/.test(before) : true;
    if (start >= first && fits) now = word.slice(0, start) + other;
  }
  const next = step3.find(([ending]) => now.endsWith(ending));
  if (next === undefined) return now;
  const [ending, other] = next;
  const start = now.length - ending.length;
  return start >= (ending === "ative" ? Math.max(first, second) : first) ? now.slice(0, start) + other : now;
}

function dropEnding(word: string, second: number): string {
  const ending = step4.find((one) => word.endsWith(one));
  if (ending === undefined) return word;
  const start = word.length - ending.length;
  if (start < second || (ending === "ion" && !/[st]$/.test(word.slice(0, start)))) return word;
  return word.slice(0, start);
}

/** A final "e" or the second of two "l". */
function step5(word: string, first: number, second: number): string {
  const start = word.length - 1;
  if (word.endsWith("e")) {
    const goes = start >= second || (start >= first && !endsShort(word.slice(0, start)));
    return goes ? word.slice(0, start) : word;
  }
  return word.endsWith("ll") && start >= second ? word.slice(0, start) : word;
}

/** The stem of a word in small letters. */
export function stemEnglish(word: string): string {
  if (word.length < 3 || !/^[a-z]+$/.test(word)) return word;
  const exception = exceptions.get(word);
  if (exception !== undefined) return exception;
  // A "y" at the beginning or behind a vowel is a consonant, written "Y" until the end.
  let now = "";
  for (let i = 0; i < word.length; i++) now += word[i] === "y" && (i === 0 || isVowel(now, i - 1)) ? "Y" : word[i]!;
  const prefix = /^(?:gener|commun|arsen)/.exec(now);
  const first = prefix === null ? regionAfter(now, 0) : prefix[0].length;
  const second = regionAfter(now, first);
  now = step1a(now);
  if (invariant.has(now)) return now.toLowerCase();
  now = step1b(now, first);
  if (now.length > 2 && /[^aeiouy][yY]$/.test(now)) now = `${now.slice(0, -1)}i`;
  now = replaceEnding(now, first, second);
  now = dropEnding(now, second);
  return step5(now, first, second).toLowerCase();
}
