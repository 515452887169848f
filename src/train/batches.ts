/**
 * Batches of packed blocks. The stream of all documents is cut into blocks of T tokens; which blocks a micro-batch
 * holds, and which of their tokens are masked, is a pure function of (seed, step), so a resumed run sees what an
 * uninterrupted one would, on any machine.
 */
// B rows, T tokens, N labels
import { DataError } from "../errors.ts";
import { random } from "../tensor/random.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import { type MaskingOptions, type MaskingVocabulary, maskRow } from "./masking.ts";
import type { TokenFile } from "../corpus/token-files.ts";

/** What a loss graph is fed besides weights, and how many labels count. */
export interface LabelledBatch {
  readonly inputs: Readonly<Record<string, Tensor<"int64">>>;
  readonly counted: number;
}

export interface BlockSampler {
  readonly blocks: number;
  /** Blocks number `first` to `first + rows - 1` of the endless shuffled sequence. */
  batch(first: number, rows: number): LabelledBatch;
  /** Blocks in file order, for evaluation. */
  inOrder(first: number, rows: number): LabelledBatch;
}

interface BlockOptions {
  readonly tokens: number;
  readonly seed: number;
}

type Block = ReturnType<TokenFile["read"]>;

/** A sampler of blocks that `overlap` by so many tokens. `collect` gets blocks, and a number for each that is its own. */
function blockSampler(
  file: TokenFile,
  { tokens, seed }: BlockOptions,
  overlap: number,
  collect: (blocks: readonly Block[], numbers: readonly number[]) => LabelledBatch,
): BlockSampler {
  const blocks = Math.floor((file.tokens - overlap) / tokens);
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
  const take = (first: number, rows: number, at: (number: number) => number): LabelledBatch => {
    const numbers = Array.from({ length: rows }, (_, row) => first + row);
    return collect(
      numbers.map((number) => file.read(at(number) * tokens, tokens + overlap)),
      numbers,
    );
  };
  return {
    blocks,
    batch: (first, rows) => take(first, rows, blockAt),
    inOrder: (first, rows) => take(first, rows, (number) => number),
  };
}

/**
 * Inputs `ids` and `labels` [B, T]: the label of a token is the next one.
 * @throws DataError when the file is shorter than one block.
 */
export function createSampler(file: TokenFile, options: BlockOptions): BlockSampler {
  const { tokens } = options;
  return blockSampler(file, options, 1, (blocks) => {
    const shape = [blocks.length, tokens];
    const part = (from: number): Tensor<"int64"> => {
      const data = new BigInt64Array(blocks.length * tokens);
      blocks.forEach((block, row) => {
        for (let t = 0; t < tokens; t++) data[row * tokens + t] = BigInt(block[from + t]!);
      });
      return tensor("int64", shape, data);
    };
    return { inputs: { ids: part(0), labels: part(1) }, counted: blocks.length * tokens };
  });
}

/** Most tokens of a block that are predicted: a block's own number is this or one less. */
export function labelsOfBlock(tokens: number, rate: number): number {
  return Math.floor(tokens * rate) + 1;
}

/** Third seed of the masks' random numbers, so that they share no stream with dropout. */
const maskStream = 0x6d6c6d;

/**
 * Inputs `ids` and `documents` [B, T], and `at` and `labels` [B · labelsOfBlock], filled up with the label -100.
 * Documents begin at the tokenizer's first special token.
 * @throws DataError when the file is shorter than one block.
 */
export function createMaskedSampler(
  file: TokenFile,
  options: BlockOptions & Required<Pick<MaskingOptions, "rate" | "wholeWords">>,
  vocabulary: MaskingVocabulary,
): BlockSampler {
  const { tokens, seed, rate, wholeWords } = options;
  const room = labelsOfBlock(tokens, rate);
  return blockSampler(file, options, 0, (blocks, numbers) => {
    const shape = [blocks.length, tokens];
    const ids = new BigInt64Array(blocks.length * tokens);
    const documents = new BigInt64Array(blocks.length * tokens);
    const at = new BigInt64Array(blocks.length * room);
    const labels = new BigInt64Array(blocks.length * room).fill(-100n);
    let counted = 0;
    blocks.forEach((block, row) => {
      const masked = maskRow(block, vocabulary, [seed, numbers[row]!, maskStream], { rate, wholeWords });
      let document = 0n;
      masked.ids.forEach((id, t) => {
        if (id === vocabulary.startId) document += 1n;
        ids[row * tokens + t] = BigInt(id);
        documents[row * tokens + t] = document;
      });
      // A word longer than all there is room for loses its last pieces' labels.
      const kept = Math.min(room, masked.at.length);
      for (let i = 0; i < kept; i++) {
        at[row * room + i] = BigInt(row * tokens + masked.at[i]!);
        labels[row * room + i] = BigInt(masked.labels[i]!);
      }
      counted += kept;
    });
    const list = (data: BigInt64Array): Tensor<"int64"> => tensor("int64", [data.length], data);
    const inputs = { ids: tensor("int64", shape, ids), documents: tensor("int64", shape, documents) };
    return { inputs: { ...inputs, at: list(at), labels: list(labels) }, counted };
  });
}
