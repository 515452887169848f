/**
 * Trains the linear model for names (src/curate/deidentify/linear.ts) and writes its weights: an averaged perceptron with margins
 * over two kinds of text with labels: the tests' synthetic notes (those to develop on) with names drawn from the dictionaries and made
 * up of syllables, and openly licensed texts of ../shared/data/corpus in which some of "the patient", "she", "her mother" are
 * replaced by such names. What the rules find there is left out, being unlabelled. A minute.
 *
 *     npx node scripts/train-names.ts
 */
import { writeFileSync } from "node:fs";
import { brotliCompressSync } from "node:zlib";
import { readTexts } from "../src/corpus/texts.ts";
import { findIdentifiers } from "../src/curate/deidentify/find.ts";
import { commonFirst, commonSurname, first, flagsOf, lexicon, surname } from "../src/curate/deidentify/lexicon.ts";
import { featuresOf, isJudged, places, scoreOf } from "../src/curate/deidentify/linear.ts";
import { type Word, wordsOf } from "../src/curate/deidentify/words.ts";
import { random } from "../src/tensor/random.ts";
import { filled } from "../test/support/clinical-notes.ts";
import { developed } from "../test/support/clinical-templates.ts";
import { shared } from "../test/support/shared.ts";

const seed = 17;
const epochs = 4;
const notesOfTemplate = 25;
/** Texts of each file, and their most characters. */
const corpora = {
  "clinical-dialogues": 1700,
  "nih-questions": 1500,
  "pmc-mixed": 60,
  clinicaltrials: 600,
  "nursing-textbooks": 120,
};
const mostCharacters = 30_000;

interface Labelled {
  readonly text: string;
  readonly names: readonly { readonly start: number; readonly end: number }[];
}

const draw = random(seed);
const pick = <T>(from: readonly T[]): T => from[draw.integer(from.length)]!;
const capital = (word: string): string =>
  word.replace(/(^|[-'])([a-z])/g, (_, a: string, b: string) => a + b.toUpperCase());
const withFlag = (flag: number): string[] =>
  [...lexicon().flags].filter(([, flags]) => (flags & flag) !== 0).map(([word]) => word);
const syllables =
  "a e i o u ka ro mi ta lo shi wa ne zu obi chi eme oye ade kwa gra bel sto ran vik dor lin esh pra nav jit sz cz kow ski ova ngu yen tha mo zhu xia".split(
    " ",
  );
const made = (): string => capital(Array.from({ length: 2 + draw.integer(2) }, () => pick(syllables)).join(""));
const drawn = (common: readonly string[], all: readonly string[]): string => {
  const at = draw.next();
  return at < 0.45 ? capital(pick(common)) : at < 0.75 ? capital(pick(all)) : made();
};
const [commonGiven, given, commonFamily, family] = [commonFirst, first, commonSurname, surname].map(withFlag);
const givenName = (): string => drawn(commonGiven!, given!);
const familyName = (): string => drawn(commonFamily!, family!);

/** As notes call people: a title apart from what is the name. */
function person(): { title: string; name: string } {
  const at = draw.next();
  if (at < 0.3) return { title: "", name: `${givenName()} ${familyName()}` };
  if (at < 0.55) return { title: "", name: givenName() };
  if (at < 0.75) return { title: pick(["Mr. ", "Ms. ", "Mrs. ", "Dr. "]), name: familyName() };
  if (at < 0.85) return { title: "", name: familyName() };
  return { title: "", name: `${givenName()} ${pick([..."ABCDEFGHJKLM"])}. ${familyName()}` };
}

/** A synthetic note with other people in it. */
function withOtherNames(template: string, ...seeds: number[]): Labelled {
  const note = filled("", template, random(seed, ...seeds));
  const others = new Map<string, string>();
  const names: { start: number; end: number }[] = [];
  let [text, at] = ["", 0];
  for (const { class: name, start, end } of note.gold) {
    text += note.text.slice(at, start);
    at = end;
    let value = note.text.slice(start, end);
    if (name === "NAME") {
      if (!/^[A-Z]{2}/.test(value)) {
        value = value.replace(/[A-Za-zÀ-ɏ'-]{2,}/g, (word) => {
          if (!others.has(word))
            others.set(word, (flagsOf(word.toLowerCase()) & first) !== 0 ? givenName() : familyName());
          return others.get(word)!;
        });
      }
      names.push({ start: text.length, end: text.length + value.length });
    }
    text += value;
  }
  return { text: text + note.text.slice(at), names };
}

const people =
  /\b(?:[Tt]he patient|[Hh]e|[Ss]he|[Tt]his patient|[Pp]atient|[Tt]he (?:mother|father|physician|surgeon|nurse|doctor)|(?:her|his) (?:mother|father|husband|wife|son|daughter|doctor|sister|brother)|him|them|(?:other )?(?:people|patients|women|men)(?= who)|someone)\b/g;

/** A text in which a third of the people who have no name get one. */
function named(raw: string): Labelled {
  const names: { start: number; end: number }[] = [];
  let [text, at] = ["", 0];
  for (const { index, 0: said } of raw.matchAll(people)) {
    if (draw.next() > 0.35) continue;
    const isRelative = /^(?:her|his) /.test(said);
    const { title, name } = isRelative ? { title: `${said} `, name: givenName() } : person();
    text += raw.slice(at, index) + title;
    at = index + said.length;
    names.push({ start: text.length, end: text.length + name.length });
    text += name;
  }
  return { text: text + raw.slice(at), names };
}

interface Example {
  readonly text: string;
  readonly words: readonly Word[];
  /** By word: 1 a name, 0 none, -1 not known. */
  readonly labels: Int8Array;
}

function exampleOf({ text, names }: Labelled): Example {
  const words = wordsOf(text);
  const labels = new Int8Array(words.length);
  const mark = (ranges: readonly { start: number; end: number }[], label: number): void => {
    for (const { start, end } of ranges)
      words.forEach((word, i) => void (word.start < end && word.end > start && (labels[i] = label)));
  };
  mark(
    findIdentifiers(text, { names: "rules" }).filter((one) => one.class === "NAME" || one.class === "LOCATION"),
    -1,
  );
  mark(names, 1);
  return { text, words, labels };
}

function trained(examples: Example[]): Float64Array {
  const [weights, sums] = [new Float64Array(places), new Float64Array(places)];
  const features: number[] = [];
  let step = 1;
  for (let epoch = 0; epoch < epochs; epoch++) {
    for (const example of draw.shuffle(examples)) {
      let before = false;
      example.words.forEach((word, at) => {
        const label = example.labels[at]!;
        if (label >= 0 && isJudged(example.text, word)) {
          const sign = label === 1 ? 1 : -1;
          featuresOf(example, at, before, features);
          if (scoreOf(weights, features) * sign <= (sign > 0 ? 1.5 : 1)) {
            for (const feature of features) {
              weights[feature]! += sign;
              sums[feature]! += sign * step;
            }
          }
          step++;
        }
        before = label === 1;
      });
    }
  }
  return weights.map((weight, i) => weight - sums[i]! / step);
}

const labelled = Array.from({ length: notesOfTemplate }, (_, time) =>
  developed.map((template, i) => withOtherNames(template, i, time)),
).flat();
for (const [name, most] of Object.entries(corpora)) {
  let count = 0;
  for await (const { text } of readTexts(shared(`data/corpus/${name}.jsonl.zst`))) {
    labelled.push(named(text.slice(0, mostCharacters)));
    if (++count === most) break;
  }
}
const weights = trained(labelled.map(exampleOf));
// In steps of 1/16, at most 127 of them.
const bytes = Int8Array.from(weights, (weight) => Math.max(-127, Math.min(127, Math.round(weight * 16))));
const packed = brotliCompressSync(bytes).toString("base64");
writeFileSync(
  new URL("../src/curate/deidentify/linear-weights.ts", import.meta.url),
  `/**
 * Weights of \`linear.ts\` in sixteenths, a byte each, Brotli, base 64: made by scripts/train-names.ts (seed ${seed}) of synthetic notes and
 * openly licensed texts.
 */
export const linearWeights: string =
  "${packed}";
`,
);
console.log(
  `${labelled.length} texts, ${bytes.filter((byte) => byte !== 0).length} weights, ${packed.length} characters`,
);
