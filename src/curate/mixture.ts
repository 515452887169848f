/** How often each source comes in the result. */
import { ConfigError } from "../errors.ts";
import type { CorpusPipeline } from "./pipeline.ts";
import type { ShardState } from "./work/shard-state.ts";

/**
 * Repeats by source: what the source says, or what gives each its share of the mixture's words. A share that would want a source
 * more often than `mostRepeats` gets it so often, and the words that are missing come from the others.
 */
export function repeatsOf(
  { sources, mixture, file }: Pick<CorpusPipeline, "sources" | "mixture" | "file">,
  states: readonly ShardState[],
): Map<string, number> {
  const names = Object.keys(sources);
  if (mixture === undefined) return new Map(names.map((name) => [name, sources[name]!.repeat ?? 1]));
  const words = new Map(names.map((name) => [name, 0]));
  for (const { source, amount } of states) words.set(source, words.get(source)! + amount.words);
  const { weights, mostRepeats } = mixture;
  const repeats = new Map(names.map((name) => [name, 0]));
  let open = names.filter((name) => (weights[name] ?? 0) > 0 && words.get(name)! > 0);
  if (open.length === 0) throw new ConfigError(`${file}: mixture.weights: expected a source with words, got none`);
  let left = mixture.words ?? [...words.values()].reduce((sum, one) => sum + one, 0);
  for (;;) {
    const sum = open.reduce((total, name) => total + weights[name]!, 0);
    const wanted = new Map(open.map((name) => [name, (left * weights[name]!) / sum / words.get(name)!]));
    const over = open.filter((name) => wanted.get(name)! > mostRepeats);
    for (const name of over.length === 0 ? open : over) {
      const repeat = Math.min(mostRepeats, wanted.get(name)!);
      repeats.set(name, repeat);
      left -= repeat * words.get(name)!;
    }
    open = open.filter((name) => !over.includes(name));
    if (over.length === 0 || open.length === 0) return repeats;
  }
}
