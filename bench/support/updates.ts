/** Updates of a training beside a peer's, in turn, and the table of both. */
import { machine, median, type Peer } from "./peer.ts";

interface Answer {
  readonly milliseconds: number;
  readonly loss: number;
  /** MiB. */
  readonly peak: number;
}

export interface UpdatesOptions {
  /** One update; its loss. */
  update(): Promise<number>;
  readonly peer: Peer | undefined;
  /** What the peer is asked with for its update. */
  readonly request: unknown;
  readonly rounds: number;
}

export interface MeasuredUpdates {
  readonly own: readonly Answer[];
  readonly others: readonly Answer[];
}

/** Measures `rounds` pairs of updates, the first pair of all for warming up. */
export async function measureUpdates(options: UpdatesOptions): Promise<MeasuredUpdates> {
  const { update, peer, request, rounds } = options;
  const own: Answer[] = [];
  const others: Answer[] = [];
  for (let round = -1; round < rounds; round++) {
    const start = performance.now();
    const loss = await update();
    const answer = { milliseconds: performance.now() - start, loss, peak: process.resourceUsage().maxRSS / 1024 };
    const other = await peer?.ask<Answer>(request);
    if (round < 0) continue; // warm-up
    own.push(answer);
    if (other !== undefined) others.push(other);
  }
  return { own, others };
}

/** Prints the table, the ratio last. `names`: of this side and of the peer; `tokens`: of an update. */
export function printUpdates(
  { own, others }: MeasuredUpdates,
  {
    about,
    names,
    tokens,
  }: { readonly about: string; readonly names: readonly [string, string]; readonly tokens: number },
): void {
  const row = (name: string, answers: readonly Answer[]): string => {
    const time = median(answers.map(({ milliseconds }) => milliseconds));
    const last = answers.at(-1)!;
    return `| ${name} | ${time.toFixed(0)} | ${((1000 * tokens) / time).toFixed(0)} | ${last.peak.toFixed(0)} | ${last.loss.toFixed(5)} |`;
  };
  console.log(`${machine()}; ${about}, medians of ${own.length} pairs`);
  console.log("| | update, ms | tokens/s | peak memory, MiB | last loss |\n| --- | ---: | ---: | ---: | ---: |");
  console.log(row(names[0], own));
  if (others.length === 0) return;
  console.log(row(names[1], others));
  const ratio = median(own.map(({ milliseconds }, i) => others[i]!.milliseconds / milliseconds));
  console.log(`ratio of tokens/s: ${ratio.toFixed(2)}`);
}
