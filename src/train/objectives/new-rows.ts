/**
 * How the rows of tokens begin that a vocabulary gained, in the table of embeddings and in the head: as the mean of the
 * pieces that a token takes the place of, as the first of them, or as all rows are on average (Hewitt 2021; transformers'
 * `mean_resizing`).
 */
// V rows, D width
import * as z from "zod";
import type { FillRows } from "../../runtime/parameters.ts";
import { random } from "../../tensor/random.ts";
import type { Vocabulary } from "./objective.ts";

export const rowStarts = ["pieces", "first", "average", "random"] as const;
export type RowStart = (typeof rowStarts)[number];

/** Settings of objectives whose vocabulary may grow. */
export const growthSettings = {
  newRows: z
    .enum(rowStarts)
    .describe(
      "How rows of tokens that --tokenizer adds begin: the mean of the pieces that they take the place of, the first of these, the average row, or random",
    ),
  rowMultiple: z.int().positive().describe("Rows are filled up to a multiple; no text has them, none is generated"),
};
export type Growth = z.infer<z.ZodObject<typeof growthSettings>>;

/** What they are where a recipe says nothing else. */
export const usualGrowth = { newRows: "pieces", rowMultiple: 1 } as const satisfies Growth;

/** Rows drawn from a normal distribution, its deviation by their width. */
export function normalRows(deviation: (width: number) => number): FillRows {
  return (table, { width, stored, seed }) => {
    // A bias is no row.
    if (width === 1) return;
    const numbers = random(seed, table.length / width);
    for (let i = stored * width; i < table.length; i++) table[i] = deviation(width) * numbers.normal();
  };
}

/** transformers draws around the mean with so much of the rows' covariance. */
const share = 1e-9;

/** Rows from id `first` on, of `vocabulary`'s tokens and of none. Undefined: by the table's own initialiser. */
export function startRows(
  how: RowStart,
  vocabulary: Pick<Vocabulary, "piecesAmong"> | undefined,
  first: number,
): FillRows | undefined {
  if (how === "random") return undefined;
  const piecesOf = vocabulary?.piecesAmong?.(first) ?? (() => []);
  return (table_VD, { width, stored, seed }) => {
    const known = Math.min(first, stored);
    const { mean_D, deviation_D } = spreadOf(table_VD.subarray(0, known * width), width);
    const numbers = random(seed, table_VD.length / width);
    for (let id = known; id < table_VD.length / width; id++) {
      const row_D = table_VD.subarray(id * width, (id + 1) * width);
      // What is no text, special tokens and padding, is as an average row.
      const pieces = how === "average" ? [] : piecesOf(id).slice(0, how === "first" ? 1 : undefined);
      if (pieces.length === 0) {
        for (let d = 0; d < width; d++) row_D[d] = mean_D[d]! + Math.sqrt(share) * deviation_D[d]! * numbers.normal();
        continue;
      }
      for (let d = 0; d < width; d++) {
        let sum = 0;
        for (const piece of pieces) sum += table_VD[piece * width + d]!;
        row_D[d] = sum / pieces.length;
      }
    }
  };
}

/** Mean and standard deviation of each column. */
function spreadOf(table_VD: Float32Array, width: number): { mean_D: Float64Array; deviation_D: Float64Array } {
  const rows = table_VD.length / width;
  const [mean_D, square_D] = [new Float64Array(width), new Float64Array(width)];
  for (let i = 0; i < table_VD.length; i++) {
    const d = i % width;
    mean_D[d]! += table_VD[i]! / rows;
    square_D[d]! += table_VD[i]! ** 2 / rows;
  }
  return { mean_D, deviation_D: square_D.map((square, d) => Math.sqrt(Math.max(0, square - mean_D[d]! ** 2))) };
}
