/**
 * What a file of judgements says: how far people agree, whether they prefer what they see first, how whoever wrote the
 * answers fared, and on which pairs people disagree.
 */
import { bootstrap, type Interval, quantile } from "../metrics/bootstrap.ts";
import { krippendorffAlpha, type Level } from "../metrics/krippendorff.ts";
import { type Proportion, proportion } from "../metrics/proportion.ts";
import type { Item } from "./items.ts";
import { type JudgedItem, pairsOf, readJudged } from "./judged.ts";
import { type Judgement, preference } from "./judgements.ts";

export interface Alpha {
  /** Krippendorff's; null: nothing was judged by two, or no two judgements could differ. */
  readonly alpha: number | null;
  /** By drawing items with replacement; null as above. */
  readonly interval: Pick<Interval, "low" | "high"> | null;
  /** Pairs of answers, or answers, that two people or more judged. */
  readonly units: number;
  /** Of all pairs of judgements on the same, the share that are equal. */
  readonly equal: number | null;
}

/** How often the answer in the first place was the one preferred: the chance share where places do not matter. */
export interface FirstShown extends Proportion {
  /** Answers on the screen. */
  readonly answers: number;
  readonly chance: number;
}

interface Quartiles {
  readonly low: number;
  readonly median: number;
  readonly high: number;
}

export interface RaterReport {
  readonly rater: string;
  readonly judgements: number;
  /** Median; null: no judgement that holds. */
  readonly seconds: number | null;
  readonly firstShown: readonly FirstShown[];
  readonly ties: Proportion;
  readonly wrong: Proportion;
}

/** How answers of one origin fared beside the others of their items. */
export interface OriginReport {
  readonly by: string;
  readonly won: number;
  readonly lost: number;
  readonly tied: number;
  /** Of judged answers, those marked as wrong. */
  readonly wrong: Proportion;
}

export interface Disagreement {
  readonly item: string;
  readonly prompt: string;
  /** Places of the two answers in the item, from 0, and who prefers which. */
  readonly answers: readonly [number, number];
  readonly first: readonly string[];
  readonly second: readonly string[];
  readonly equal: readonly string[];
}

export interface FeedbackReport {
  readonly file: string;
  readonly items: number;
  /** Items that anybody judged, and that two people or more did. */
  readonly judged: number;
  readonly shared: number;
  readonly judgements: number;
  /** JudgementLog that were made or changed after others' were looked at: agreement takes what stood before, or nothing. */
  readonly informed: number;
  readonly raters: readonly RaterReport[];
  /** Preferences between two answers (ordinal: first, tie, second), and marks of being wrong (nominal). */
  readonly agreement: { readonly preference: Alpha; readonly wrong: Alpha };
  readonly firstShown: readonly FirstShown[];
  /** Of compared pairs. */
  readonly ties: Proportion;
  /** Of judged answers. */
  readonly wrong: Proportion;
  readonly seconds: Quartiles | null;
  readonly origins: readonly OriginReport[];
  readonly disagreements: readonly Disagreement[];
}

const promptText = ({ prompt }: Item): string =>
  typeof prompt === "string" ? prompt : prompt.map(({ content }) => content).join("\n");

type Units = readonly (readonly number[])[];

/**
 * Of each pair of answers, what each person prefers. A pair counts both ways round: which answer the file names first is no
 * matter of agreement.
 */
function preferenceUnits(judgements: readonly Judgement[], answers: number): Units {
  return [...pairsOf(answers)].flatMap(([a, b]) => {
    const values = judgements.flatMap((one) => preference(one, a, b) ?? []);
    return [values, values.map((value) => (value === 0 ? 0 : -value))];
  });
}

const wrongUnits = (judgements: readonly Judgement[], answers: number): Units =>
  Array.from({ length: answers }, (_, i) => judgements.map(({ wrong }) => Number(wrong[i])));

/** @param ways how often each unit stands among them. */
function agreementOf(byItem: readonly Units[], level: Level, ways: number): Alpha {
  const shared = byItem.map((units) => units.filter(({ length }) => length > 1)).filter(({ length }) => length > 0);
  const alpha = krippendorffAlpha(shared.flat(), level);
  let [equal, all] = [0, 0];
  for (const values of shared.flat()) {
    for (const [a, b] of pairsOf(values.length)) {
      all += 1;
      if (values[a] === values[b]) equal += 1;
    }
  }
  const drawn = Number.isNaN(alpha)
    ? null
    : bootstrap(
        shared,
        (sample) => {
          const value = krippendorffAlpha(sample.flat(), level);
          // A draw in which no two values differ says nothing against agreement.
          return Number.isNaN(value) ? 1 : value;
        },
        { seed: 0 },
      );
  return {
    alpha: Number.isNaN(alpha) ? null : alpha,
    interval: drawn === null ? null : { low: drawn.low, high: drawn.high },
    units: shared.flat().length / ways,
    equal: all === 0 ? null : equal / all,
  };
}

/** Of judgements that prefer one answer to all others: whether it stood first. */
function firstShownOf(judgements: readonly Judgement[]): FirstShown[] {
  const counts = new Map<number, { first: number; all: number }>();
  for (const { ranks, order } of judgements) {
    const best = ranks.flatMap((rank, i) => (rank === 1 ? [i] : []));
    if (best.length !== 1) continue;
    const count = counts.get(ranks.length) ?? { first: 0, all: 0 };
    counts.set(ranks.length, count);
    count.all += 1;
    if (order[0] === best[0]) count.first += 1;
  }
  return [...counts]
    .sort(([a], [b]) => a - b)
    .map(([answers, { first, all }]) => ({ answers, chance: 1 / answers, ...proportion(first, all) }));
}

function tiesOf(judgements: readonly Judgement[]): Proportion {
  let [ties, all] = [0, 0];
  for (const one of judgements) {
    for (const [a, b] of pairsOf(one.ranks.length)) {
      const value = preference(one, a, b);
      if (value !== undefined) all += 1;
      if (value === 0) ties += 1;
    }
  }
  return proportion(ties, all);
}

const wrongOf = (judgements: readonly Judgement[]): Proportion => {
  const marks = judgements.flatMap(({ wrong }) => wrong);
  return proportion(marks.filter(Boolean).length, marks.length);
};

function originsOf(judged: readonly JudgedItem[]): OriginReport[] {
  const found = new Map<string, { won: number; lost: number; tied: number; wrong: number; all: number }>();
  const of = (by: string): { won: number; lost: number; tied: number; wrong: number; all: number } => {
    const one = found.get(by) ?? { won: 0, lost: 0, tied: 0, wrong: 0, all: 0 };
    found.set(by, one);
    return one;
  };
  for (const { item, judgements } of judged) {
    for (const one of judgements) {
      item.answers.forEach(({ by }, a) => {
        if (by === null) return;
        const own = of(by);
        own.all += 1;
        if (one.wrong[a] === true) own.wrong += 1;
        item.answers.forEach((other, b) => {
          const value = other.by === by ? undefined : preference(one, a, b);
          if (value !== undefined) own[value === 0 ? "tied" : value < 0 ? "won" : "lost"] += 1;
        });
      });
    }
  }
  return [...found].map(([by, { wrong, all, ...rest }]) => ({ by, ...rest, wrong: proportion(wrong, all) }));
}

function disagreementsOf(judged: readonly JudgedItem[]): Disagreement[] {
  return judged.flatMap(({ item, judgements }) =>
    [...pairsOf(item.answers.length)].flatMap(([a, b]) => {
      const who = (value: number): string[] =>
        judgements.flatMap((one) => (preference(one, a, b) === value ? [one.rater] : []));
      const [first, second, equal] = [who(-1), who(1), who(0)];
      if (first.length === 0 || second.length === 0) return [];
      return [{ item: item.id, prompt: promptText(item), answers: [a, b] as const, first, second, equal }];
    }),
  );
}

function quartiles(values: readonly number[]): Quartiles | null {
  if (values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  return { low: quantile(sorted, 0.25), median: quantile(sorted, 0.5), high: quantile(sorted, 0.75) };
}

/** The figures of a file of judgements, with its items beside it. @throws DataError where a line cannot be read. */
export async function reportFeedback(file: string): Promise<FeedbackReport> {
  const { judged, judgements } = await readJudged(file);
  const all = judged.flatMap((one) => one.judgements);
  const alone = judged.map(({ item }) => ({
    judgements: judgements.independent(item.id).filter(({ ranks }) => ranks.length === item.answers.length),
    answers: item.answers.length,
  }));
  const preferences = alone.map((one) => preferenceUnits(one.judgements, one.answers));
  const marks = alone.map((one) => wrongUnits(one.judgements, one.answers));
  return {
    file,
    items: judged.length,
    judged: judged.filter((one) => one.judgements.length > 0).length,
    shared: judged.filter((one) => one.judgements.length > 1).length,
    judgements: all.length,
    informed: all.filter(({ informed }) => informed).length,
    raters: judgements.raters().map((rater) => {
      const own = all.filter((one) => one.rater === rater);
      return {
        rater,
        judgements: own.length,
        seconds: quartiles(own.map(({ seconds }) => seconds))?.median ?? null,
        firstShown: firstShownOf(own),
        ties: tiesOf(own),
        wrong: wrongOf(own),
      };
    }),
    agreement: { preference: agreementOf(preferences, "ordinal", 2), wrong: agreementOf(marks, "nominal", 1) },
    firstShown: firstShownOf(all),
    ties: tiesOf(all),
    wrong: wrongOf(all),
    seconds: quartiles(all.map(({ seconds }) => seconds)),
    origins: originsOf(judged),
    disagreements: disagreementsOf(judged),
  };
}
