/**
 * Batches of packed blocks. The stream of all documents is cut into blocks of T tokens, each with the next token as its
 * last label; which blocks a micro-batch holds is a pure function of (seed, step), so a resumed run sees what an
 * uninterrupted one would, on any machine.
 */
// B rows, T tokens
import { DataError } from "../errors.ts";
import { random } from "../tensor/random.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import type { TokenFile } from "./token-files.ts";

export interface LabelledBatch {
  /** int64 [B, T]. */
  readonly ids: Tensor<"int64">;
  /** int64 [B, T]: the following token. */
  readonly labels: Tensor<"int64">;
}

export interface BlockSampler {
  readonly blocks: number;
  /** Blocks number `first` to `first + rows - 1` of the endless shuffled sequence. */
  batch(first: number, rows: number): LabelledBatch;
  /** Blocks in file order, for evaluation. */
  inOrder(first: number, rows: number): LabelledBatch;
}

/** @throws DataError when the file is shorter than one block. */
export function createSampler(file: TokenFile, { tokens, seed }: { tokens: number; seed: number }): BlockSampler {
  const blocks = Math.floor((file.tokens - 1) / tokens);
  if (blocks < 1) {
    throw new DataError(`training data: expected more than ${tokens} tokens, got ${file.tokens}`, {
      hint: "give more text, or set a smaller tokens=",
    });
  }
  let epoch = -1;
  let order = new Uint32Array(0);
  const blockAt = (index: number): number => {
    const wanted = Math.floor(index / blocks);
    if (wanted !== epoch) {
      order = random(seed, wanted).shuffle(Uint32Array.from({ length: blocks }, (_, i) => i));
      epoch = wanted;
    }
    return order[index % blocks]!;
  };
  const collect = (rows: number, at: (row: number) => number): LabelledBatch => {
    const ids = new BigInt64Array(rows * tokens);
    const labels = new BigInt64Array(rows * tokens);
    for (let row = 0; row < rows; row++) {
      const block = file.read(at(row) * tokens, tokens + 1);
      for (let t = 0; t < tokens; t++) {
        ids[row * tokens + t] = BigInt(block[t]!);
        labels[row * tokens + t] = BigInt(block[t + 1]!);
      }
    }
    return { ids: tensor("int64", [rows, tokens], ids), labels: tensor("int64", [rows, tokens], labels) };
  };
  return {
    blocks,
    batch: (first, rows) => collect(rows, (row) => blockAt(first + row)),
    inOrder: (first, rows) => collect(rows, (row) => first + row),
  };
}
