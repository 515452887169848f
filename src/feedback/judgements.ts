/**
 * What people judged, in one file of JSON lines that is only appended to: a line a judgement, and a line where one is taken
 * back or others' are looked at. The last judgement of each person on each item holds.
 */
import { createHash } from "node:crypto";
import * as z from "zod";
import { openSharedLines } from "../io/shared-lines.ts";
import { random } from "../tensor/random.ts";
import { mostAnswers } from "./items.ts";

export const raterSchema: z.ZodType<string> = z.string().trim().normalize().min(1).max(80);
const rank = z.int().min(1).max(mostAnswers).nullable();
/** What is said of an item's answers, one entry an answer. */
export const rankingSchema = z
  .object({
    /** 1: the best; equal: a tie; null: below all that have a rank, and not compared with the others. */
    ranks: z.array(rank).min(2).max(mostAnswers),
    wrong: z.array(z.boolean()).min(2).max(mostAnswers),
    reason: z.string().trim().max(5000),
    /** From the first sight of it to the judgement, while it was on the screen. */
    seconds: z.number().min(0).max(1e6),
  })
  .refine(({ ranks, wrong }) => ranks.length === wrong.length, "must have a rank and a mark for each answer")
  .refine(
    ({ ranks, wrong }) => wrong.includes(true) || ranks.some((one) => one !== null),
    "must rank an answer, or mark one as wrong",
  );
export type Ranking = z.infer<typeof rankingSchema>;

const signed = { rater: raterSchema, at: z.iso.datetime(), item: z.string() };
const lineSchema = z.union([
  z
    .object({
      ...signed,
      act: z.literal("judge"),
      /** Which answer stood in each place of the screen. */
      order: z.array(
        z
          .int()
          .min(0)
          .max(mostAnswers - 1),
      ),
    })
    .and(rankingSchema),
  z.object({ ...signed, act: z.enum(["take back", "reveal"]) }),
]);
type Line = z.infer<typeof lineSchema>;

/** A ranking in the order of the item's answers, not of the screen's. */
export interface Judgement extends Ranking {
  readonly rater: string;
  /** ISO 8601. */
  readonly at: string;
  readonly item: string;
  /** Which answer stood in each place of the screen. */
  readonly order: readonly number[];
  /** It was made after its rater had seen what others judged. */
  readonly informed: boolean;
}

export interface JudgementLog {
  refresh(): Promise<void>;
  judge(judgement: Omit<Judgement, "at" | "informed">): Promise<void>;
  takeBack(rater: string, item: string): Promise<void>;
  /** From now on the rater knows what others judged, and who wrote the answers. */
  reveal(rater: string, item: string): Promise<void>;
  of(item: string): readonly Judgement[];
  by(rater: string, item: string): Judgement | undefined;
  isRevealed(rater: string, item: string): boolean;
  /** The judgement that its rater made alone, where others' were looked at later and it was changed. */
  independent(item: string): readonly Judgement[];
  raters(): readonly string[];
}

interface OfRater {
  now: Judgement | undefined;
  alone: Judgement | undefined;
  revealed: boolean;
}

/** @param path the file; it need not exist yet. */
export function openJudgements(path: string): JudgementLog {
  const items = new Map<string, Map<string, OfRater>>();
  const raters = new Set<string>();
  const entry = (item: string, rater: string): OfRater => {
    const own = items.get(item) ?? new Map<string, OfRater>();
    items.set(item, own);
    const found = own.get(rater) ?? { now: undefined, alone: undefined, revealed: false };
    own.set(rater, found);
    return found;
  };
  const lines = openSharedLines(path, lineSchema, {
    apply(line: Line) {
      const { rater, item } = line;
      raters.add(rater);
      const own = entry(item, rater);
      if (line.act === "judge") {
        const { act: _, ...judgement } = line;
        own.now = { ...judgement, informed: own.revealed };
        if (!own.revealed) own.alone = own.now;
      } else if (line.act === "reveal") own.revealed = true;
      else own.now = own.alone = undefined;
    },
    clear() {
      items.clear();
      raters.clear();
    },
  });
  const append = (line: object): Promise<void> => lines.append([{ at: new Date().toISOString(), ...line }]);
  const of = (item: string, which: "now" | "alone"): Judgement[] =>
    [...(items.get(item)?.values() ?? [])].flatMap(({ [which]: one }) => (one === undefined ? [] : [one]));
  return {
    refresh: lines.refresh,
    judge: (judgement) => append({ act: "judge", ...judgement }),
    takeBack: (rater, item) => append({ act: "take back", rater, item }),
    reveal: (rater, item) => append({ act: "reveal", rater, item }),
    of: (item) => of(item, "now"),
    independent: (item) => of(item, "alone"),
    by: (rater, item) => items.get(item)?.get(rater)?.now,
    isRevealed: (rater, item) => items.get(item)?.get(rater)?.revealed === true,
    raters: () => [...raters].sort(),
  };
}

/** Which answer stands in each place of the screen: a draw that each rater and item has for itself. */
export function orderFor(seed: number, rater: string, item: string, answers: number): number[] {
  const number = createHash("sha256")
    .update(JSON.stringify([rater, item]))
    .digest()
    .readUIntBE(0, 6);
  return random(seed, number).shuffle(Array.from({ length: answers }, (_, i) => i));
}

/** Negative: `a` was preferred to `b`; 0: a tie; undefined: they were not compared. */
export function preference({ ranks }: Ranking, a: number, b: number): number | undefined {
  const [first, second] = [ranks[a] ?? Infinity, ranks[b] ?? Infinity];
  if (first === Infinity && second === Infinity) return undefined;
  return Math.sign(first === second ? 0 : first - second);
}
