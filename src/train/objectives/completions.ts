/**
 * Log-probabilities of completions. Completions of one prompt are branches of one row, so that the prompt is computed
 * once; what tokens of a branch see is what they would see in a row of their own.
 */
// B rows, T tokens, C completions, N tokens that are scored
import type { Graph, Value } from "../../graph/graph.ts";
import { cast, gather, matMul, neg, reduceSum, reshape } from "../../graph/ops/index.ts";
import { type Dim, product } from "../../graph/shape.ts";
import type { Family, ModelConfig } from "../../models/index.ts";
import { int64 } from "../../runtime/batch.ts";
import type { Tensors } from "../../runtime/session.ts";
import { tensor } from "../../tensor/tensor.ts";
import type { Supervised } from "../../tokenizers/turns.ts";
import { int64List } from "./texts.ts";

/** What follows a prompt: tokens, and which of them are scored. */
export interface Branch {
  readonly ids: readonly number[];
  readonly scored: readonly boolean[];
}

/** A prompt and what may follow it. */
export interface Branching {
  readonly prompt: readonly number[];
  readonly branches: readonly Branch[];
}

/**
 * Texts that begin with the same prompt, each cut to `most` tokens as TRL cuts them, at its end. The prompt is what all
 * begin with and nobody is to learn. Undefined where a text is left without a token that is scored.
 */
export function branching(texts: readonly Supervised[], most: number): Branching | undefined {
  const [first] = texts;
  const starts = texts.map(({ supervised }) => supervised.indexOf(true));
  if (first === undefined || starts.some((start) => start < 0)) return undefined;
  const limit = Math.min(most, ...starts);
  let length = 0;
  while (length < limit && texts.every(({ ids }) => ids[length] === first.ids[length])) length += 1;
  const branches = texts.map(({ ids, supervised }) => ({
    ids: ids.slice(length, most),
    // Nothing comes before the first token of a row, which it could be scored after.
    scored: supervised.slice(length, most).map((own, t) => own && length + t > 0),
  }));
  if (branches.some(({ scored }) => !scored.includes(true))) return undefined;
  return { prompt: first.ids.slice(0, length), branches };
}

/** How many tokens of a branch are scored. */
export function scoredTokens({ scored }: Branch): number {
  return scored.reduce((sum, own) => sum + Number(own), 0);
}

/** Tokens of all texts, each with its prompt. */
export function tokensOf({ prompt, branches }: Branching): number {
  return branches.reduce((sum, { ids }) => sum + prompt.length + ids.length, 0);
}

/** What `completionScores` takes of rows; completions come row by row. */
export function completionFeeds(rows: readonly Branching[], padId: number): Tensors {
  const laid = rows.map(layOut);
  const width = Math.max(...laid.map(({ ids }) => ids.length));
  const count = rows.reduce((sum, { branches }) => sum + branches.length, 0);
  const at: number[] = [];
  const labels: number[] = [];
  const owners: number[] = [];
  let completion = 0;
  for (const [row, { branches, prompt }] of rows.entries()) {
    for (const [k, { ids, scored }] of branches.entries()) {
      const start = laid[row]!.starts[k]!;
      for (const [t, id] of ids.entries()) {
        if (!scored[t]) continue;
        at.push(row * width + (t === 0 ? prompt.length : start + t) - 1);
        labels.push(id);
        owners.push(completion);
      }
      completion += 1;
    }
  }
  const segments = new Float32Array(count * at.length);
  for (const [i, owner] of owners.entries()) segments[owner * at.length + i] = 1;
  const padded = (key: "ids" | "positions" | "branches", filler: number): number[][] =>
    laid.map((row) => [...row[key], ...Array<number>(width - row[key].length).fill(filler)]);
  return {
    ids: int64(padded("ids", padId), width),
    positions: int64(padded("positions", 0), width),
    // Padding is a branch of its own, which no other token looks at.
    branches: int64(padded("branches", -1), width),
    at: int64List(at),
    labels: int64List(labels),
    segments: tensor("float32", [count, at.length], segments),
  };
}

interface LaidOut {
  readonly ids: readonly number[];
  readonly positions: readonly number[];
  readonly branches: readonly number[];
  /** Where each branch begins. */
  readonly starts: readonly number[];
}

/** Branches one after another, without their last tokens, which nothing follows. */
function layOut({ prompt, branches }: Branching): LaidOut {
  const row = { ids: [...prompt], positions: [...prompt.keys()], branches: prompt.map(() => 0) };
  const starts = branches.map(({ ids }, k) => {
    const start = row.ids.length;
    for (const [t, id] of ids.slice(0, -1).entries()) {
      row.ids.push(id);
      row.positions.push(prompt.length + t);
      row.branches.push(k + 1);
    }
    return start;
  });
  return { ...row, starts };
}

export interface Scores {
  /** Of each completion, the sum of its tokens' log-probabilities: [C] float32. */
  readonly scores_C: Value;
  /** How many these are. */
  readonly lengths_C: Value;
}

/**
 * Inputs `ids`, `positions` and `branches` [B, T] int64, `at` (of the B·T tokens) and `labels` [N] int64, and `segments`
 * [C, N] float32, 1 where a token is the completion's.
 */
export function completionScores(
  g: Graph,
  { family, config }: { readonly family: Family; readonly config: ModelConfig },
  completions: Dim,
): Scores {
  const [ids_BT, positions_BT, branches_BT] = ["ids", "positions", "branches"].map((name) =>
    g.input(name, "int64", ["B", "T"]),
  ) as [Value, Value, Value];
  const [at_N, labels_N] = [g.input("at", "int64", ["N"]), g.input("labels", "int64", ["N"])];
  const segments_CN = g.input("segments", "float32", [completions, "N"]);
  const hidden_BTD = family.hidden(g, config, { ids_BT, positions_BT, branches_BT });
  const before_ND = gather(reshape(hidden_BTD, [product(["B", "T"]), hidden_BTD.shape[2]!]), at_N);
  const losses_N = cast(family.tokenLoss(g, config, before_ND, labels_N), "float32");
  const scores_C1 = neg(matMul(segments_CN, reshape(losses_N, ["N", 1])));
  return {
    scores_C: reshape(scores_C1, [completions]),
    lengths_C: reduceSum(segments_CN, [1], { keepDims: false }),
  };
}
