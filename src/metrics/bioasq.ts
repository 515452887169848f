/**
 * The measures of BioASQ's task B, phase B, on exact answers (BioASQ/Evaluation-Measures 8c8e689, version 8): answers
 * are compared in lower case as whole strings, with any synonym. An answer to yes or no that is neither counts as wrong
 * of both, in macro-F1 too.
 */
import { harmonic, mean, ratio, type Scores, scores } from "./counts.ts";
import { checkAligned } from "./report.ts";

/** The names that an entity goes by, one list an entity. */
export type Synonyms = readonly (readonly string[])[];

/** Where a list of entities has one of this name; -1 where none has. */
const placeOf = (name: string, entities: Synonyms): number =>
  entities.findIndex((names) => names.some((one) => one.toLowerCase() === name.toLowerCase()));

export interface FactoidScores {
  /** 1 where the first answer is right. */
  readonly strict: number;
  /** 1 where any is. */
  readonly lenient: number;
  /** 1 / rank of the first right answer, 0 where none is. */
  readonly reciprocalRank: number;
}

/** Of answers in order of preference. */
export function factoidScores(gold: Synonyms, answers: readonly string[]): FactoidScores {
  const rank = answers.findIndex((answer) => placeOf(answer, gold) >= 0) + 1;
  return { strict: Number(rank === 1), lenient: Number(rank > 0), reciprocalRank: ratio(1, rank) };
}

/** Of a list of answers: each entity is found once, a second name of it is wrong. */
export function listScores(gold: Synonyms, answers: readonly string[]): Scores {
  const left = [...gold];
  let right = 0;
  for (const answer of answers) {
    const place = placeOf(answer, left);
    if (place < 0) continue;
    left.splice(place, 1);
    right += 1;
  }
  // As published: an entity left over is not missed where an answer has a name of it too.
  const free = answers.map((answer) => [answer]);
  let missed = 0;
  for (const names of left) {
    const place = free.findIndex(([answer]) => placeOf(answer!, [names]) >= 0);
    if (place < 0) missed += 1;
    else free.splice(place, 1);
  }
  const [precision, recall] = [ratio(right, answers.length), ratio(right, right + missed)];
  return { precision, recall, f1: harmonic(precision, recall) };
}

/** Mean of the F1 of "yes" and that of "no". */
export function yesNoMacroF1(gold: readonly string[], answers: readonly string[]): number {
  checkAligned(gold, answers, "yes or no");
  const wrong = gold.filter((label, i) => label !== answers[i]).length;
  const f1Of = (label: string): number => {
    const tp = gold.filter((one, i) => one === label && one === answers[i]).length;
    // Every wrong answer is one, of whichever label: a miss here is a false alarm there.
    return scores({ tp, fp: wrong, fn: 0 }).f1;
  };
  return mean([f1Of("yes"), f1Of("no")]);
}
