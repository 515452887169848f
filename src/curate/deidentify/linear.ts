/**
 * A linear model beside the rules for names: an averaged perceptron (Freund and Schapire 1999; Collins 2002) over hashed features
 * of a word with a capital, its neighbours and what dictionaries know of them; left to right, each decision a feature of the
 * next. It knows contexts that no rule names ("X enjoys", "a letter to X"). `scripts/train-names.ts` makes its weights.
 */
import { brotliDecompressSync } from "node:zlib";
import { city, commonFirst, commonSurname, first, flagsOf, ordinary, surname, town, veryOrdinary } from "./lexicon.ts";
import { linearWeights } from "./linear-weights.ts";
import { isThing, type Read } from "./patterns/name-runs.ts";
import { isLarge } from "./patterns/places.ts";
import { eponymNouns, eponyms, relatives, stopWords, titles } from "./word-lists.ts";
import { beginsSentence, type Word } from "./words.ts";

/** Places of weights; features that share one are few. */
export const places = 1 << 15;

const medical =
  /(?:ectom(?:y|ies)|otom(?:y|ies)|ostom(?:y|ies)|plast(?:y|ies)|scop(?:y|e|ies)|itis|osis|emia|uria|pathy|ology|graphy|gram|centesis|desis|cillin|mycin|azole|pril|sartan|olol|statin|caine|cath|oma)s?$/;

/** Words that the model judges; all others are no names to it. */
export function isJudged(text: string, { shape, start, end, lower }: Word): boolean {
  if (shape !== "capital" || end - start < 2 || stopWords.has(lower) || eponyms.has(lower)) return false;
  // Headings, and words that medicine makes.
  if (text[end] === ":" || medical.test(lower) || isLarge(lower)) return false;
  if (lower.includes("-") && lower.split("-").some((part) => stopWords.has(part))) return false;
  // "3-0 Vicryl", "0.5% Marcaine", "#2 Hegar", "6-French": no people.
  return !/[\d%#][ -]?$/.test(text.slice(Math.max(0, start - 2), start)) && !eponymNouns.has(lower);
}

/** What the dictionaries know, in a few letters. */
function kindOf(flags: number, lower: string): string {
  if (eponyms.has(lower)) return "e";
  const given = (flags & first) === 0 ? "" : (flags & commonFirst) === 0 ? "g" : "G";
  const family = (flags & surname) === 0 ? "" : (flags & commonSurname) === 0 ? "s" : "S";
  const where = (flags & (town | city)) === 0 ? "" : "t";
  const plain = (flags & veryOrdinary) !== 0 ? "O" : (flags & ordinary) !== 0 ? "o" : "";
  return given + family + where + plain || "u";
}

const rareWord = (lower: string): string => (lower.length > 14 ? lower.slice(-6) : lower);

/** Places of the features of word `at`; `before` says whether the word before it is a name. */
export function featuresOf(read: Read, at: number, before: boolean, into: number[]): number[] {
  const { words, text } = read;
  const word = words[at]!;
  const near = (offset: number): Word | undefined => words[at + offset];
  const gap = (left: Word | undefined, right: Word | undefined): string =>
    left === undefined || right === undefined
      ? "|"
      : text.slice(left.end, Math.min(right.start, left.end + 3)).replace(/\s*\n\s*/g, "n");
  const said = (one: Word | undefined): string => (one === undefined ? "|" : rareWord(one.lower));
  const known = (one: Word | undefined): string =>
    one === undefined
      ? "|"
      : one.shape === "lower"
        ? `l${relatives.has(one.lower) ? "r" : ""}`
        : kindOf(flagsOf(one.lower), one.lower) + one.shape;
  const [p2, p1, n1, n2] = [near(-2), near(-1), near(1), near(2)];
  const [g1, h1] = [gap(p1, word), gap(word, n1)];
  const kind = kindOf(word.flags, word.lower);
  const start = beginsSentence(text, word) ? "^" : "";
  const left = `${said(p1)}${g1}`;
  const right = `${h1}${said(n1)}`;
  into.length = 0;
  const add = (feature: string): void => {
    into.push(hashed(feature));
  };
  add("bias");
  add(`k${kind}${start}`);
  add(`p${left}`);
  add(`n${right}`);
  add(`kp${kind}${left}`);
  add(`kn${kind}${start}${right}`);
  add(`pp${said(p2)} ${left}`);
  add(`nn${right} ${said(n2)}`);
  add(`pn${left}${right}`);
  add(`q${kind}${known(p1)}${g1}${before ? "B" : ""}`);
  add(`r${kind}${known(n1)}${h1}`);
  add(`s${word.lower.slice(-3)}`);
  add(`t${kind}${isThing(read, at) ? "T" : ""}${word.isPossessive ? "'" : ""}`);
  add(`b${before ? "B" : ""}${g1}${kind}`);
  add(`w${rareWord(word.lower)}`);
  if (p1 !== undefined && titles.has(p1.lower)) add("title");
  return into;
}

function hashed(feature: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < feature.length; i++) hash = Math.imul(hash ^ feature.charCodeAt(i), 0x01000193);
  return (hash ^ (hash >>> 15)) & (places - 1);
}

export function scoreOf(weights: ArrayLike<number>, features: readonly number[]): number {
  let sum = 0;
  for (const feature of features) sum += weights[feature]!;
  return sum;
}

let opened: Int8Array | undefined;
const unpacked = (): Int8Array =>
  (opened ??= new Int8Array(brotliDecompressSync(Buffer.from(linearWeights, "base64"))));

/** In sixteenths: where on synthetic notes nineteen of twenty that it adds are names. */
const threshold = 20;
/** More for an ordinary word that begins a sentence, which has a capital anyway: "Bill to account", "Rose bengal". */
const more = 40;

/** Places of words that the model takes for names; `isKnown` are those that rules have found. */
export function judgedNames(read: Read, isKnown: (word: Word) => boolean): number[] {
  const weights = unpacked();
  const names: number[] = [];
  const features: number[] = [];
  let before = false;
  read.words.forEach((word, at) => {
    const known = isKnown(word);
    const isDoubtful = (word.flags & ordinary) !== 0 && beginsSentence(read.text, word);
    const least = isDoubtful ? threshold + more : threshold;
    const isName =
      !known &&
      isJudged(read.text, word) &&
      !isThing(read, at) &&
      scoreOf(weights, featuresOf(read, at, before, features)) > least;
    if (isName) names.push(at);
    before = known || isName;
  });
  return names;
}
