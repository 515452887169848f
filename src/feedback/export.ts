/**
 * JudgementLog as the lines that trainings read: pairs {prompt, chosen, rejected}, or single answers {prompt, completion,
 * label}. Where messages were asked, they are messages.
 */
import { DataError } from "../errors.ts";
import { writeJsonLines } from "../io/json.ts";
import { makeWhole } from "../io/outputs.ts";
import type { Item } from "./items.ts";
import { type JudgedItem, pairsOf, readJudged } from "./judged.ts";
import { preference } from "./judgements.ts";

type Text = string | readonly { readonly role: string; readonly content: string }[];

export interface PreferencePair {
  readonly prompt: Text;
  readonly chosen: Text;
  readonly rejected: Text;
  /** People who preferred one of the two. */
  readonly raters: number;
  /** The share of them that preferred `chosen`, above one half; what is left of 1 is a measure of label smoothing. */
  readonly agreement: number;
}

export interface LabelledAnswer {
  readonly prompt: Text;
  readonly completion: Text;
  /** Whether it is wanted. */
  readonly label: boolean;
  readonly raters: number;
  readonly agreement: number;
}

export interface PreferenceOptions {
  /** What becomes of that on which people disagree: it is left out (default), or the majority has it; equal numbers never. */
  readonly disagreements?: "leave-out" | "majority" | undefined;
}

const completionOf = ({ prompt }: Item, text: string): Text =>
  typeof prompt === "string" ? text : [{ role: "assistant", content: text }];

/** What `yes` against `no` voices say; undefined: nothing. */
function votedOf(
  yes: number,
  no: number,
  { disagreements = "leave-out" }: PreferenceOptions,
): { readonly for: boolean; readonly raters: number; readonly agreement: number } | undefined {
  const raters = yes + no;
  if (yes === no || (disagreements === "leave-out" && Math.min(yes, no) > 0)) return undefined;
  return { for: yes > no, raters, agreement: Math.max(yes, no) / raters };
}

function* pairsOfItem({ item, judgements }: JudgedItem, options: PreferenceOptions): Generator<PreferencePair> {
  const { prompt, answers } = item;
  for (const [a, b] of pairsOf(answers.length)) {
    const voices = judgements.map((one) => preference(one, a, b) ?? 0);
    const voted = votedOf(voices.filter((one) => one < 0).length, voices.filter((one) => one > 0).length, options);
    if (voted === undefined) continue;
    const [chosen, rejected] = (voted.for ? [a, b] : [b, a]).map((i) => completionOf(item, answers[i]!.text));
    yield { prompt, chosen: chosen!, rejected: rejected!, raters: voted.raters, agreement: voted.agreement };
  }
}

/** Of one person: wanted is what is best and not wrong; unwanted what is wrong, or below all others. */
function wanted({ judgements }: JudgedItem, a: number): (boolean | undefined)[] {
  return judgements.map((one) => {
    if (one.wrong[a] === true) return false;
    const beside = one.ranks.flatMap((_, b) => (b === a ? [] : [preference(one, a, b)]));
    if (beside.every((value) => value === -1)) return true;
    return beside.every((value) => value === 1) ? false : undefined;
  });
}

function* labelsOfItem(judged: JudgedItem, options: PreferenceOptions): Generator<LabelledAnswer> {
  const { prompt, answers } = judged.item;
  for (const [a, { text }] of answers.entries()) {
    const voices = wanted(judged, a);
    const voted = votedOf(
      voices.filter((one) => one === true).length,
      voices.filter((one) => one === false).length,
      options,
    );
    if (voted === undefined) continue;
    const { for: label, raters, agreement } = voted;
    yield { prompt, completion: completionOf(judged.item, text), label, raters, agreement };
  }
}

/** Of each two answers the one that people prefer, ties left out. @throws DataError where a file cannot be read. */
export async function* preferencePairs(file: string, options: PreferenceOptions = {}): AsyncGenerator<PreferencePair> {
  for (const one of (await readJudged(file)).judged) yield* pairsOfItem(one, options);
}

/**
 * Single answers that people want (the best of its item, and not wrong) or do not (marked as wrong, or the worst).
 * @throws DataError where a file cannot be read.
 */
export async function* labelledAnswers(file: string, options: PreferenceOptions = {}): AsyncGenerator<LabelledAnswer> {
  for (const one of (await readJudged(file)).judged) yield* labelsOfItem(one, options);
}

/**
 * Writes `preferencePairs`, or with `unpaired` `labelledAnswers`, as JSON lines.
 * @returns how many.
 * @throws DataError where there are none; ConfigError where the output is there already, or another run writes to it.
 */
export async function writePreferences(
  file: string,
  output: string,
  { unpaired = false, ...options }: PreferenceOptions & { readonly unpaired?: boolean | undefined } = {},
): Promise<number> {
  const lines = unpaired ? labelledAnswers(file, options) : preferencePairs(file, options);
  return makeWhole(output, [file], async (path) => {
    const count = await writeJsonLines(path, lines);
    if (count > 0) return count;
    throw new DataError(`${file}: expected judgements that prefer an answer, and on which people agree, got none`, {
      hint: "ties are left out; of disagreements --disagreements majority takes those that have one",
    });
  });
}
