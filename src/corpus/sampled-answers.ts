/**
 * OLAPH's files of sampled answers (Jeong et al. 2024, arXiv:2405.12701), a question a line with several answers of a model
 * and their scores, as pairs: the best answer against the worst, where they are far enough apart. An answer's score is, as
 * there, how it agrees with the reference in words and in meaning, and what it states of it less what it contradicts.
 */
import * as z from "zod";
import { DataError } from "../errors.ts";
import { checked } from "../schema.ts";

const share = z.number().min(0).max(1);
const percent = z.number().min(0).max(100);
const scores = z.object({
  rouge1_f1: share,
  rouge2_f1: share,
  rougel_f1: share,
  bleurt: z.number(),
  bert_score_f1: z.number(),
  hallucination: percent,
  comprehensive: percent,
});
const schema = z.object({
  Question: z.string(),
  sample_predictions: z.array(z.string()).min(2),
  prediction_scores: z.array(scores),
});

/** Of sums of three parts, each of 100 at most. */
const leastDifference = 10;

/** Whether a line is of such a file. */
export function isSampled(value: object): boolean {
  return "sample_predictions" in value && "prediction_scores" in value;
}

/**
 * The best and the worst of a line's answers; undefined where they are too close, or the same.
 * @throws DataError that names the field.
 */
export function pairOfSampled(
  value: unknown,
  where: string,
): { readonly prompt: string; readonly chosen: string; readonly rejected: string } | undefined {
  const { Question, sample_predictions: answers, prediction_scores } = checked(schema, value, where, DataError);
  if (answers.length !== prediction_scores.length) {
    const got = `${answers.length} and ${prediction_scores.length}`;
    throw new DataError(`${where}: expected as many sample_predictions as prediction_scores, got ${got}`);
  }
  const ranked = prediction_scores
    .map((one, i) => ({ score: scoreOf(one), answer: answerOf(answers[i]!) }))
    .filter(({ answer }) => answer !== "")
    .sort((a, b) => b.score - a.score);
  const [best, worst] = [ranked[0], ranked.at(-1)];
  if (best === undefined || worst === undefined || best.answer === worst.answer) return undefined;
  if (best.score - worst.score < leastDifference) return undefined;
  return { prompt: Question, chosen: ` ${best.answer}`, rejected: ` ${worst.answer}` };
}

function scoreOf(one: z.output<typeof scores>): number {
  const words = (one.rouge1_f1 + one.rouge2_f1 + one.rougel_f1) / 3;
  const meaning = (one.bleurt + one.bert_score_f1) / 2;
  return 100 * words + 100 * meaning + one.comprehensive - one.hallucination;
}

/** Some were written down with their prompt before them, up to the mark of the assistant's turn. */
function answerOf(text: string): string {
  return text.replace(/^[^]*?assistant\n\n/, "").trim();
}
