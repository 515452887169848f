/**
 * Stems of English words by Porter's algorithm (1980), in the form that ROUGE's Python package counts by: NLTK's, which
 * adds a few irregular words, keeps "die" of "dies" and "died", and makes i of a y behind any consonant.
 */

const irregular: ReadonlyMap<string, string> = new Map(
  Object.entries({
    sky: "sky skies",
    die: "dying",
    lie: "lying",
    tie: "tying",
    news: "news",
    inning: "innings inning",
    outing: "outings outing",
    canning: "cannings canning",
    howe: "howe",
    proceed: "proceed",
    exceed: "exceed",
    succeed: "succeed",
  }).flatMap(([stem, words]) => words.split(" ").map((word): [string, string] => [word, stem])),
);

/** "c" for each consonant and "v" for each vowel; a y is a vowel behind a consonant. */
function shapeOf(text: string): string {
  let shape = "";
  for (const letter of text) {
    const isVowel = letter === "y" ? shape.endsWith("c") : "aeiou".includes(letter);
    shape += isVowel ? "v" : "c";
  }
  return shape;
}

/** Porter's m: how many times a consonant follows a vowel. */
const measure = (text: string): number => shapeOf(text).split("vc").length - 1;

/** Porter's *o, and NLTK's for two letters. */
const endsShort = (text: string): boolean =>
  (shapeOf(text).endsWith("cvc") && !/[wxy]$/.test(text)) || shapeOf(text) === "vc";

type Rule = readonly [ending: string, replacement: string];

/** The first ending that fits is replaced where its stem's measure is above `least`; no later one is tried. */
function replaceEnding(word: string, rules: readonly Rule[], least: number): string {
  const rule = rules.find(([ending]) => word.endsWith(ending));
  if (rule === undefined) return word;
  const [ending, replacement] = rule;
  const stem = word.slice(0, word.length - ending.length);
  // "geology" is as long as "archaeology" for this: its l counts.
  const measured = ending === "logi" ? `${stem}l` : stem;
  const isKept = measure(measured) <= least || (ending === "ion" && !/[st]$/.test(stem));
  return isKept ? word : stem + replacement;
}

const rulesOf = (text: string): Rule[] =>
  text.split(" ").map((rule) => {
    const [ending = "", replacement = ""] = rule.split(">");
    return [ending, replacement];
  });

const second = rulesOf(
  "ational>ate tional>tion enci>ence anci>ance izer>ize bli>ble alli>al entli>ent eli>e ousli>ous ization>ize " +
    "ation>ate ator>ate alism>al iveness>ive fulness>ful ousness>ous aliti>al iviti>ive biliti>ble fulli>ful logi>log",
);
const third = rulesOf("icate>ic ative alize>al iciti>ic ical>ic ful ness");
const fourth = rulesOf("al ance ence er ic able ible ant ement ment ent ion ou ism ate iti ous ive ize");

function withoutPlural(word: string): string {
  if (/^.ies$/.test(word)) return word.slice(0, -1);
  if (/(?:sse|ie)s$/.test(word)) return word.slice(0, -2);
  return /[^s]s$/.test(word) || word === "s" ? word.slice(0, -1) : word;
}

function withoutPast(word: string): string {
  if (word.endsWith("ied")) return word.slice(0, word.length === 4 ? -1 : -2);
  if (word.endsWith("eed")) return measure(word.slice(0, -3)) > 0 ? word.slice(0, -1) : word;
  const stem = /^(.*)(?:ed|ing)$/.exec(word)?.[1];
  if (stem === undefined || !shapeOf(stem).includes("v")) return word;
  if (/(?:at|bl|iz)$/.test(stem)) return `${stem}e`;
  if (/(.)\1$/.test(stem) && shapeOf(stem).endsWith("c")) return /[lsz]$/.test(stem) ? stem : stem.slice(0, -1);
  return measure(stem) === 1 && endsShort(stem) ? `${stem}e` : stem;
}

function secondStep(word: string): string {
  const stem = word.slice(0, -4);
  if (word.endsWith("alli") && measure(stem) > 0) return secondStep(`${stem}al`);
  return replaceEnding(word, second, 0);
}

function withoutE(word: string): string {
  if (!word.endsWith("e")) return word;
  const stem = word.slice(0, -1);
  const count = measure(stem);
  return count > 1 || (count === 1 && !endsShort(stem)) ? stem : word;
}

/** The stem of a word in lower case. */
export function porterStem(word: string): string {
  const known = irregular.get(word);
  if (known !== undefined) return known;
  if (word.length <= 2) return word;
  let stem = withoutPast(withoutPlural(word));
  if (/..y$/.test(stem) && shapeOf(stem.slice(0, -1)).endsWith("c")) stem = `${stem.slice(0, -1)}i`;
  stem = withoutE(replaceEnding(replaceEnding(secondStep(stem), third, 0), fourth, 1));
  return stem.endsWith("ll") && measure(stem.slice(0, -1)) > 1 ? stem.slice(0, -1) : stem;
}
