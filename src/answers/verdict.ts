/**
 * Yes, no or maybe, by what the best sentences say: a small softmax model over counted cues (denials, "no difference",
 * significance, hedges, benefit), or a trained classifier. What it reaches is measured by `bench/verdicts.ts`: where it is not
 * sure enough it says so, and the sentences for each side are the point, not the word.
 */
import { DataError } from "../errors.ts";
import type { Classifier } from "../labellers.ts";
import { compares, isNegated } from "./claims.ts";
import { contentStems, outcomeOf } from "./question.ts";
import type { AnswerSentence, Verdict } from "./types.ts";

export const verdicts = ["yes", "no", "maybe"] as const;
export type VerdictName = (typeof verdicts)[number];
export type Shares = NonNullable<Verdict["shares"]>;

/** Shares of yes, no and maybe, for a question and what was found. */
export interface Judge {
  judge(question: string, evidence: readonly string[]): Promise<Shares>;
}

const cues = {
  none: /\b(?:no|not|non-?)\s+(?:statistically\s+)?(?:significan\w+|differen\w+|associat\w+|correlat\w+|effects?|evidence|benefits?|improve\w*|increase\w*|change\w*|influence|impact|relationship|affect\w*|necessary|recommended|support\w*|justified|useful|reliable)|\b(?:did|do|does|was|were|is|are|could|can|should|may)(?: not(?! only| just| merely)|n['’]t)\b|\bcannot\b|\bfail(?:s|ed)?\b|\bunlikely\b|\bneither\b|\black(?:s|ed)? of\b|\bsimilar\b|\bcomparable\b/i,
  significant: /(?<!\b(?:not?|non)[\s-](?:statistically )?)\bsignificant(?:ly)?\b|p\s*[<=]\s*0?\.0\d/i,
  hedge:
    /\b(?:may|might|could|possibl\w+|potential\w*|unclear|uncertain|inconclusive|conflicting|controversial|mixed|limited|further|future|more (?:studies|research)|larger|preliminary|depend(?:s|ing)?|caution\w*|some|certain|subgroup)\b/i,
  positive:
    /\b(?:effective\w*|efficac\w*|improv\w*|benefi\w*|associated with|correlat\w*|predict\w*|safe\w*|feasible|useful|valuable|reliable|accurate\w*|important|increas\w*|reduc\w*|higher|lower|better|superior|indicated|approved|is an?|are|plays?|involved|leads? to|caus\w+|induc\w+|confirm\w*|support\w*)\b/i,
  contrast: /\b(?:however|although|but(?!(?: \w+)? also\b)|whereas|despite|while|(?<!not )only|except)\b/i,
} as const;

/** Names of the numbers that the weights are for. */
export const verdictFeatures = [
  "constant",
  ...Object.keys(cues),
  "denial",
  "comparison asked",
  "question denies",
] as const;

/** The numbers of one sentence. Those of the question are the same for each. */
function featuresOf(question: string): (sentence: string) => readonly number[] {
  const [compared, denies] = [compares(question), isNegated(question)].map(Number);
  return (sentence) => [
    1,
    ...Object.values(cues).map((cue) => Number(cue.test(sentence))),
    Number(isNegated(sentence)),
    compared!,
    denies!,
  ];
}

/** Means over the sentences (one or more), each weighted by how well it answers. */
export function featuresOfEvidence(
  question: string,
  evidence: readonly string[],
  supports: readonly number[],
): number[] {
  return weightedMean(evidence.map(featuresOf(question)), supports);
}

function weightedMean(rows: readonly (readonly number[])[], weights: readonly number[]): number[] {
  const all = weights.reduce((sum, one) => sum + one, 0);
  return rows[0]!.map((_, column) => rows.reduce((sum, row, i) => sum + row[column]! * weights[i]!, 0) / all);
}

/** By feature for "yes" and "no"; "maybe" is 0. Measured by `bench/verdicts.ts`. */
export const verdictWeights: Readonly<Record<"yes" | "no", readonly number[]>> = {
  yes: [1.9, -0.835, 0.163, 0.441, 0.282, -0.741, -0.68, 0.017, 0.055],
  no: [1.285, 1.278, -0.354, 0.061, -0.273, -0.742, 0.359, 0.042, 0.539],
};

export function sharesOf(features: readonly number[]): Shares {
  const score = (weights: readonly number[]): number => weights.reduce((sum, one, i) => sum + one * features[i]!, 0);
  const powers = [score(verdictWeights.yes), score(verdictWeights.no), 0].map(Math.exp);
  const sum = powers.reduce((total, one) => total + one, 0);
  return { yes: powers[0]! / sum, no: powers[1]! / sum, maybe: powers[2]! / sum };
}

export function largest(shares: Shares): VerdictName {
  return verdicts.reduce((best, one) => (shares[one] > shares[best] ? one : best));
}

/** What a classifier of texts reads, as `galen train classifier` was given it. */
export function verdictText(question: string, evidence: readonly string[]): string {
  return `${question} ${evidence.join(" ")}`;
}

/** A classifier whose classes are yes, no and maybe (or yes and no). @throws DataError where they are others. */
export function judgeOf(classifier: Classifier): Judge {
  const known = classifier.labels.map((label) => label.toLowerCase());
  if (!known.includes("yes") || !known.includes("no") || known.some((one) => !verdicts.includes(one as VerdictName))) {
    throw new DataError(`--verdict: expected a classifier of yes, no and maybe, got one of ${known.join(", ")}`);
  }
  return {
    async judge(question, evidence) {
      const [found] = await classifier.classify([verdictText(question, evidence)]);
      const entries = Object.entries(found!.probabilities).map(([name, share]) => [name.toLowerCase(), share]);
      return { yes: 0, no: 0, maybe: 0, ...Object.fromEntries(entries) } as Shares;
    },
  };
}

/** A sentence without any cue has 0.59 of "yes", the commonest answer; one with a cue for it has more than this. */
const leastYes = 0.65;
/**
 * Which sentences count, by the share of the question's words that they have; how many have to, where an answer has as
 * many; and from which share on a side is named. Of PubMedQA's questions whose conclusion is indexed 18 % so get a verdict,
 * and 81 % of these are right; of BioASQ's 42 %, and 84 %. Below, verdicts are not much better than chance.
 */
const [leastCovered, leastCounted, leastShare] = [0.6, 2, 0.6];

/** Whether a sentence has a word of what the question's verb is about; true where no such verb was found. */
function namesOutcome(question: string): (sentence: string) => boolean {
  const asked = new Set(outcomeOf(question));
  return (sentence) => asked.size === 0 || contentStems(sentence).some((stem) => asked.has(stem));
}

/** "No increase in bleeding" is no "no" to these: by counted words they cannot be judged. */
const asksOfSafety = /\bsafe(?:ly|ty)?\b|\bharm(?:ful|less)\b|\btolerated\b/i;

/**
 * The verdict of an answer's sentences, as far as they speak of what is asked. A sentence stands on the side that it favours
 * by itself; those that favour neither stand on none. Without a judge none does where the question is of safety.
 */
export async function verdictOf(
  question: string,
  sentences: readonly AnswerSentence[],
  judge?: Judge,
): Promise<Verdict> {
  const isAbout = namesOutcome(question);
  const isJudged = judge !== undefined || !asksOfSafety.test(question);
  const speaksOfIt = ({ covers = 1, citations }: AnswerSentence): boolean =>
    covers >= leastCovered && isAbout(citations[0]!.quote);
  const counted = isJudged ? sentences.filter(speaksOfIt) : [];
  // Without evidence the model would say its constant: that most questions are answered with yes.
  if (counted.length === 0) return { answer: "unclear", shares: null, yes: [], no: [] };
  const evidence = counted.map(({ citations }) => citations[0]!.quote);
  const rows = evidence.map(featuresOf(question));
  const supports = counted.map(({ support }) => support);
  const shares = judge === undefined ? sharesOf(weightedMean(rows, supports)) : await judge.judge(question, evidence);
  const sides = rows.map((row) => {
    const own = sharesOf(row);
    return own.no > own.yes ? "no" : own.yes >= leastYes ? "yes" : "maybe";
  });
  const side = (name: VerdictName): AnswerSentence[] => counted.filter((_, i) => sides[i] === name);
  const [yes, no] = [side("yes"), side("no")];
  const favoured = largest(shares);
  // A side that no sentence stands on is not named: nobody could look at why.
  const isShown = favoured === "maybe" || { yes, no }[favoured].length > 0;
  const isMany = counted.length >= Math.min(leastCounted, sentences.length);
  const isClear = isMany && shares[favoured] >= leastShare && isShown;
  return { answer: isClear ? favoured : "unclear", shares, yes, no };
}
