/** Ragged lists of ids as the rectangular int64 tensors that graphs take. */
import { ConfigError } from "../errors.ts";
import { type Labels, type ModelConfig, mostTokens } from "../models/index.ts";
import { required } from "../schema.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";

export interface Batch {
  readonly rows: number;
  readonly tokens: number;
  /** int64 [rows, tokens] each. */
  readonly tensors: Readonly<Record<"ids" | "mask" | "types", Tensor<"int64">>>;
}

/** One sequence a row; those of unequal length are padded. */
export interface TokenRows {
  readonly ids: readonly (readonly number[])[];
  /** 1 for a token, 0 for padding; absent: every given id counts. */
  readonly mask?: readonly (readonly number[])[] | undefined;
  /** Segment numbers (BERT); absent: 0. */
  readonly types?: readonly (readonly number[])[] | undefined;
}

/** int64 [rows, columns] from lists of equal length. */
export function int64(rows: readonly (readonly number[])[], columns: number): Tensor<"int64"> {
  const data = new BigInt64Array(rows.length * columns);
  rows.forEach((row, i) => row.forEach((value, j) => (data[i * columns + j] = BigInt(value))));
  return tensor("int64", [rows.length, columns], data);
}

/**
 * Rows for the model of this configuration, padded on the right.
 * @throws ConfigError on an empty batch or row, ids outside the vocabulary, rows too long, or a mask of another shape.
 */
export function makeBatch(rows: TokenRows, config: ModelConfig): Batch {
  required("rows of tokens", rows, "object");
  const { ids, mask, types } = rows;
  for (const [name, values] of Object.entries({ ids, mask, types })) {
    if (values !== undefined || name === "ids") required(name, values, "list of lists of numbers");
  }
  const { vocab_size: vocabSize, pad_token_id } = config;
  const maxTokens = mostTokens(config);
  const padId = pad_token_id ?? 0;
  const tokens = Math.max(0, ...ids.map((row) => row.length));
  if (tokens === 0) throw new ConfigError("ids: expected at least one row with one id, got none");
  if (tokens > maxTokens) {
    throw new ConfigError(`ids: expected at most ${maxTokens} a row, got ${tokens}`, { hint: "cut the text" });
  }
  ids.forEach((row, i) => {
    const bad = row.findIndex((id) => !Number.isInteger(id) || id < 0 || id >= vocabSize);
    if (bad >= 0) throw new ConfigError(`ids[${i}][${bad}]: expected an id in [0, ${vocabSize}), got ${row[bad]}`);
  });
  for (const [name, values] of Object.entries({ mask, types })) {
    if (
      values !== undefined &&
      (values.length !== ids.length || values.some((row, i) => row.length !== ids[i]!.length))
    ) {
      throw new ConfigError(`${name}: expected the same shape as ids`);
    }
  }
  const padded = (unequal: TokenRows["ids"], value: number): Tensor<"int64"> => {
    const full = unequal.map((row) => [...row, ...Array<number>(tokens - row.length).fill(value)]);
    return int64(full, tokens);
  };
  const same = (value: number): number[][] => ids.map((row) => row.map(() => value));
  return {
    rows: ids.length,
    tokens,
    tensors: { ids: padded(ids, padId), mask: padded(mask ?? same(1), 0), types: padded(types ?? same(0), 0) },
  };
}

/** Labels as a loss graph with gathered tokens takes them, and how many count. */
export interface LabelFeeds {
  readonly feeds: Readonly<Record<string, Tensor>>;
  readonly counted: number;
}

/**
 * Labels of tokens (`labels` shaped as `ids`; where `next`, token t + 1 is scored at t), of rows, or targets of rows.
 * Negative classes are ignored.
 * @throws ConfigError on labels of another shape, classes out of range, or none that counts.
 */
export function labelFeeds(
  { ids, labels }: { ids: readonly (readonly number[])[]; labels: readonly (number | readonly number[])[] },
  { of, count, next = false }: Labels,
  tokens: number,
): LabelFeeds {
  required("labels", labels, "list");
  if (labels.length !== ids.length) throw new ConfigError(`labels: expected ${ids.length} rows, got ${labels.length}`);
  const rows = labels.map((row) => (typeof row === "number" ? [row] : row));
  required("labels", rows, "list of lists of numbers");
  const widths = of === "tokens" ? ids.map((row) => row.length) : ids.map(() => (of === "rows" ? 1 : count));
  const wrong = rows.findIndex((row, i) => row.length !== widths[i]);
  if (wrong >= 0)
    throw new ConfigError(`labels[${wrong}]: expected ${widths[wrong]} of them, got ${rows[wrong]!.length}`);
  if (of === "targets") {
    const data = Float32Array.from(rows.flat());
    return { feeds: { labels: tensor("float32", [rows.length, count], data) }, counted: data.length };
  }
  const at: number[] = [];
  const classes: number[] = [];
  rows.forEach((row, i) =>
    row.forEach((label, j) => {
      if (!Number.isInteger(label) || label >= count) {
        throw new ConfigError(`labels[${i}][${j}]: expected an id below ${count}, got ${label}`);
      }
      const place = next ? j - 1 : j;
      if (of === "tokens" && (label < 0 || place < 0)) return;
      at.push(i * tokens + place);
      classes.push(label);
    }),
  );
  const counted = classes.filter((label) => label >= 0).length;
  if (counted === 0) throw new ConfigError("labels: expected at least one that is not negative, got none");
  const vector = (data: number[]): Tensor => tensor("int64", [data.length], BigInt64Array.from(data, BigInt));
  return { feeds: { labels: vector(classes), at: vector(at) }, counted };
}
