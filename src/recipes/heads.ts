/**
 * What an encoder's head learns for a benchmark: the training examples as lines that a classifier or a tagger is trained
 * on, and the recipe that trains it.
 */
import { ConfigError } from "../errors.ts";
import type { Benchmark, Example } from "../tasks/benchmark.ts";

export interface HeadData {
  readonly recipe: "classifier" | "tagger";
  /** JSON lines, one an example. */
  readonly lines: readonly string[];
}

/** Whether an encoder can be given a head for the benchmark. */
export function hasHead({ labels, tags }: Pick<Benchmark, "labels" | "tags">): boolean {
  return labels !== undefined || tags !== undefined;
}

/** @throws ConfigError for a benchmark that neither classes of texts nor tags of words answer. */
export function headData<E extends Example>(benchmark: Benchmark<E>, examples: readonly E[]): HeadData {
  const { tags, labels, name } = benchmark;
  if (tags !== undefined) {
    const rows = examples.map((one) => ({ tokens: tags.words(one), tags: tags.of(one) }));
    return {
      recipe: "tagger",
      lines: rows.filter(({ tokens }) => tokens.length > 0).map((one) => JSON.stringify(one)),
    };
  }
  if (labels === undefined) {
    throw new ConfigError(`${name}: expected a benchmark of classes or tags, got one that no head answers`);
  }
  const all = examples.map((one) => labels.of(one));
  const single = all.every(({ length }) => length === 1);
  const lines = examples.map((one, i) => {
    const text = (benchmark.plain ?? benchmark.source)(one);
    return JSON.stringify(single ? { text, label: all[i]![0] } : { text, labels: all[i] });
  });
  return { recipe: "classifier", lines };
}
