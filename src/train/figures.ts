/** Figures of an update or an evaluation: sums over its micro-batches and ranks, divided by what they are sums of. */
import type { Figures } from "./objectives/objective.ts";

/** Means by name; those of nothing are left out. */
export type Means = Readonly<Record<string, number>>;

export class Sums {
  private readonly names: readonly string[];
  /** Sum and count of each name in turn: every rank has the same places. */
  private readonly numbers: Float64Array;

  constructor(names: readonly string[] = []) {
    this.names = names;
    this.numbers = new Float64Array(2 * names.length);
  }

  /** Adds those of a micro-batch. */
  add(figures: Figures = {}): void {
    for (const [i, name] of this.names.entries()) {
      this.numbers[2 * i]! += figures[name]?.sum ?? 0;
      this.numbers[2 * i + 1]! += figures[name]?.count ?? 0;
    }
  }

  /** Replaces the sums by those over all ranks. */
  async over(peers: { sum(numbers: Float64Array): Promise<void> }): Promise<void> {
    if (this.names.length > 0) await peers.sum(this.numbers);
  }

  /** Nothing where nothing was named. */
  means(): { readonly figures?: Means } {
    if (this.names.length === 0) return {};
    const figures: Record<string, number> = {};
    for (const [i, name] of this.names.entries()) {
      const [sum, count] = this.numbers.subarray(2 * i, 2 * i + 2) as unknown as [number, number];
      if (count > 0) figures[name] = sum / count;
    }
    return { figures };
  }
}
