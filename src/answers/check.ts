/**
 * Whether a passage says what a sentence says that a model wrote from it. Rules first, each with its reason in plain
 * words: numbers with their units, names, denial, direction, comparison and every word that says something of its own.
 * Then, where there is one, a model that has learned to tell statements that a passage supports from others.
 */
import { compares, deniedIn, directionsIn, isNegated, namesIn, numbersIn } from "./claims.ts";
import { contentStems, contentWords } from "./question.ts";
import type { StemmedWord } from "../search/words.ts";

/** Probabilities, 0 to 1, that the passage supports each statement. */
export interface Checker {
  supports(passage: string, statements: readonly string[]): Promise<readonly number[]>;
}

export interface Checked {
  /** The share of its content words that stand in the passage, or what the checker says. */
  readonly support: number;
  /** Why it is withheld; undefined where it passes. */
  readonly reason?: string | undefined;
}

/** Stems that say nothing of their own: a sentence may have these where its passage has not. */
const harmless = new Set(
  contentStems(
    `according additionally answer approach associated association based case cases clinical compared conclusion condition
    demonstrate demonstrates demonstrated disease diseases effect effects evidence example factor factors find finding
    findings found group groups however important include includes included including indicate indicates indicated
    individual individuals information investigate investigated lead mean means method methods number observe observed
    overall particular passage patient patients people person persons possible present presence process provide provides
    question reason related report reported research result results role say says seen several significant significantly
    statement study studies suggest suggests suggested show showed shown therapy therefore thus treat treated treatment
    treatments trial trials type types various way well what`,
  ),
);

/** Least share of a written sentence's content words that stand in the passage: below, it says something else. */
export const leastShared = 0.7;
/** Least probability of a checker. */
export const leastSupport = 0.5;

/** PMIDs, DOIs, links, reference numbers, names of authors: a model has none to give. */
const identifier =
  /\b(?:pmid|pmcid|pmc\s?\d|doi|arxiv|isbn)\b|https?:|www\.|\b10\.\d{4,}\/|\[\s*\d+(?:\s*[,–-]\s*\d+)*\s*\]|\bet al\b/i;

const wayOf: Readonly<Record<string, string>> = {
  up: "that anything goes up",
  down: "that anything goes down",
  better: "that anything is better",
  worse: "that anything is worse",
};

/** The first rule that a written sentence breaks, in plain words; undefined where it breaks none. */
export function brokenRule(written: string, passage: string): string | undefined {
  if (!/\p{L}/u.test(written)) return "nothing was written, or the passage is too long for the model";
  const named = identifier.exec(written)?.[0];
  if (named !== undefined && !passage.includes(named)) return `a model has no sources to name, and wrote "${named}"`;
  if (/\?\s*$/.test(written)) return "it asks, and says nothing";
  const known = numbersIn(passage);
  for (const { value, unit } of numbersIn(written)) {
    const same = known.filter((one) => one.value === value);
    if (same.length === 0) return `the passage does not say ${value}${unit === "" ? "" : ` ${unit}`}`;
    if (unit !== "" && !same.some((one) => one.unit === unit)) return `the passage does not say ${value} of "${unit}"`;
  }
  const plain = flat(passage);
  const strange = namesIn(written).find((name) => !plain.includes(flat(name)));
  if (strange !== undefined) return `the passage does not name ${strange}`;
  const said = new Set(contentStems(passage));
  const word = contentWords(written).find(
    (one) => !said.has(one.stem) && !isHarmless(one) && !plain.includes(one.word),
  )?.word;
  const denial = brokenDenial(written, passage);
  if (denial !== undefined) return denial;
  const ways = directionsIn(passage);
  const wrong = directionsIn(written).find((way) => !ways.includes(way));
  if (wrong !== undefined) return `the passage does not say ${wayOf[wrong]}`;
  if (isTurned(written, passage)) return "the passage says it the other way round";
  if (compares(written) && !compares(passage)) return "it compares, and the passage does not";
  return word === undefined ? undefined : `the passage does not say "${word}"`;
}

/** Numbers in words have a rule of their own, and so have denials and directions. */
const isHarmless = ({ word, stem }: StemmedWord): boolean =>
  harmless.has(stem) || /^\p{N}+$/u.test(word) || directionsIn(word).length > 0 || numbersIn(word).length > 0;

/** Words that follow a denial in its clause: enough to know what is denied. */
const mostDenied = 4;

function brokenDenial(written: string, passage: string): string | undefined {
  const denied = (text: string): Set<string> =>
    new Set(deniedIn(text).flatMap((clause) => contentStems(clause).slice(0, mostDenied)));
  const [ours, theirs] = [denied(written), denied(passage)];
  const [said, known] = [contentStems(written), new Set(contentStems(passage))];
  const denies =
    deniedIn(written).length > deniedIn(passage).length || [...ours].some((one) => known.has(one) && !theirs.has(one));
  if (denies) return "it denies, and the passage does not";
  const omits = (isNegated(passage) && !isNegated(written)) || said.some((one) => theirs.has(one) && !ours.has(one));
  return omits ? "the passage denies, and it does not" : undefined;
}

const opposite: Readonly<Record<string, string>> = { up: "down", down: "up", better: "worse", worse: "better" };

interface Turn {
  readonly way: string;
  readonly near: ReadonlySet<string>;
}

/** Words that point a way, with the stems around them. */
function turnsOf(text: string): Turn[] {
  const words = contentWords(text);
  return words.flatMap(({ word }, i) => {
    const around = [...words.slice(Math.max(0, i - 3), i), ...words.slice(i + 1, i + 4)];
    const near = new Set(around.filter((one) => directionsIn(one.word).length === 0).map(({ stem }) => stem));
    return directionsIn(word).map((way) => ({ way, near }));
  });
}

/** Whether a word points one way where, among the same words, the passage points the other. */
function isTurned(written: string, passage: string): boolean {
  const theirs = turnsOf(passage);
  return turnsOf(written).some(({ way, near }) => {
    const likest = (wanted: string | undefined): number =>
      Math.max(
        0,
        ...theirs
          .filter((one) => one.way === wanted)
          .map((one) => [...near].filter((stem) => one.near.has(stem)).length),
      );
    return likest(opposite[way]) > likest(way);
  });
}

const flat = (text: string): string => text.toLowerCase().replace(/[\s\-‐–]+/g, "");

/** Share of a sentence's content words that stand in the passage. */
export function sharedWords(written: string, passage: string): number {
  const [ours, theirs] = [contentStems(written), new Set(contentStems(passage))];
  return ours.length === 0 ? 0 : ours.filter((stem) => theirs.has(stem)).length / ours.length;
}

/** Rules, then words, then the checker. */
export async function checkSentence(written: string, passage: string, checker?: Checker): Promise<Checked> {
  const support = sharedWords(written, passage);
  const reason = brokenRule(written, passage);
  if (reason !== undefined) return { support: 0, reason };
  if (support < leastShared) {
    return { support, reason: `${Math.round(100 * (1 - support))} % of its words do not stand in the passage` };
  }
  if (checker === undefined) return { support };
  const [probability = 0] = await checker.supports(passage, [written]);
  if (probability >= leastSupport) return { support: probability };
  return { support: probability, reason: `the checker gives it ${probability.toFixed(2)}, below ${leastSupport}` };
}
