/**
 * One update of any objective: gradients of its micro-batches are added up, here and on other ranks, clipped and followed.
 * The loss is the mean over all labels of the update, however these are spread over micro-batches and ranks.
 */
import { random } from "../tensor/random.ts";
import type { TrainState } from "./checkpoint.ts";
import type { Config } from "./config.ts";
import { Sums } from "./figures.ts";
import type { Evaluation, Update } from "./loop.ts";
import type { Batch, LossProgram, Objective, Outcome } from "./objectives/objective.ts";
import { accumulate, type Optimiser } from "./optimiser.ts";
import type { Plan } from "./plan.ts";
import type { Gradients, Learned } from "./trainable.ts";
import type { Tensors } from "../runtime/session.ts";

/** The ranks of a training that runs as several, each on micro-batches of its own. */
export interface Peers {
  /** From 0; rank 0 alone writes. */
  readonly rank: number;
  readonly size: number;
  /** Replaces numbers by their sums over all ranks, the same bits on each. All ranks call it in the same order. */
  sum(numbers: Float32Array | Float64Array): Promise<void>;
}

export const alone: Peers = { rank: 0, size: 1, sum: async () => {} };

export interface UpdaterParts {
  readonly config: Pick<Config, "seed">;
  readonly objective: Objective;
  readonly program: LossProgram;
  readonly plan: Plan;
  readonly state: TrainState;
  readonly optimiser: Optimiser;
  readonly learned: Learned;
  /** What the graph reads. */
  readonly weights: Tensors;
  readonly gradients: Gradients;
  /** Of a micro-batch that is added to those before it; may be `gradients` where there is one an update. */
  readonly scratch: Gradients;
  readonly peers: Peers;
  readonly signal: AbortSignal | undefined;
}

/** A micro-batch with its place in the update. */
interface Indexed {
  readonly index: number;
  readonly batch: Batch;
}

/** Does the update after `state.step`; undefined where it was abandoned for a signal, on any rank. */
export function createUpdater(parts: UpdaterParts): (rate: number) => Promise<Update | undefined> {
  const { objective, program, plan, state, optimiser, learned, weights, gradients, scratch, peers, signal } = parts;
  const { dropoutStream = 0, reduction } = objective;
  const aborted = (): boolean => signal?.aborted === true;

  /** Its loss is times the loss scale; the gradients are in `to`. */
  const microBatch = async (index: number, batch: Batch, total: number, to: Gradients): Promise<Outcome> => {
    const seed = random(parts.config.seed, state.step, dropoutStream + index).integer(2147483647);
    const scale = (lossScaleOf(state) * (reduction === "mean" ? batch.count : 1)) / total;
    const outcome = await program.run(batch, { weights, scale, seed }, to.into);
    to.gather();
    return outcome;
  };

  const prepared = async (own: readonly Indexed[]): Promise<readonly Indexed[]> => {
    if (program.prepare === undefined || own.length === 0 || aborted()) return own;
    const { step } = state;
    // A stream of its own: those from 0 on are of dropout.
    const seed = random(parts.config.seed, step, -1).integer(2147483647);
    const batches = await program.prepare(
      own.map(({ batch }) => batch),
      { weights, seed, step, training: true },
    );
    return own.map(({ index }, i) => ({ index, batch: batches[i]! }));
  };

  return async (rate) => {
    const own = await prepared(
      plan
        .update(state.step)
        .map((numbers, index) => ({ numbers, index }))
        .filter(({ index }) => index % peers.size === peers.rank)
        .map(({ numbers, index }) => ({ index, batch: objective.train.batch(numbers) })),
    );
    const sumOf = (of: (batch: Batch) => number): number => own.reduce((sum, { batch }) => sum + of(batch), 0);
    const shared = Float64Array.of(
      sumOf(({ count }) => count),
      sumOf(({ work }) => work),
      Number(aborted()),
    );
    await peers.sum(shared);
    const [total, work, stopping] = shared as unknown as [number, number, number];
    if (stopping > 0) return undefined;
    const losses = new Float64Array(1);
    const figures = new Sums(objective.figures);
    if (own.length === 0) gradients.flat.fill(0);
    for (const [i, { index, batch }] of own.entries()) {
      // Other ranks would wait for this one's gradients.
      if (i > 0 && peers.size === 1 && aborted()) return undefined;
      const outcome = await microBatch(index, batch, total, i === 0 ? gradients : scratch);
      losses[0]! += outcome.loss / lossScaleOf(state);
      figures.add(outcome.figures);
      if (i > 0) accumulate(gradients.flat, scratch.flat);
    }
    await peers.sum(losses);
    await figures.over(peers);
    await peers.sum(gradients.flat);
    const { gradientNorm } = optimiser.update(gradients.flat, rate, lossScaleOf(state));
    learned.scatter();
    if (state.lossScale !== undefined) state.lossScale = nextLossScale(state.lossScale, Number.isFinite(gradientNorm));
    return { loss: losses[0]!, gradientNorm, work, ...figures.means() };
  };
}

type LossScale = NonNullable<TrainState["lossScale"]>;

/** Dynamic loss scaling (Micikevicius et al. 2018, arXiv:1710.03740): halved on overflow, doubled after 2,000 good updates. */
export const firstLossScale: LossScale = { value: 65536, updates: 0 };

const lossScaleOf = ({ lossScale }: TrainState): number => lossScale?.value ?? 1;

function nextLossScale({ value, updates }: LossScale, finite: boolean): LossScale {
  if (!finite) return { value: Math.max(1, value / 2), updates: 0 };
  return updates + 1 === 2000 ? { value: value * 2, updates: 0 } : { value, updates: updates + 1 };
}

/** Mean loss of a label, or of an example, and mean figures; undefined when it was abandoned for a signal. */
export async function meanOutcome(
  program: LossProgram,
  weights: Tensors,
  batches: readonly (() => Batch)[],
  { reduction, figures: names, step }: Pick<Objective, "reduction" | "figures"> & { readonly step: number },
  signal?: AbortSignal,
): Promise<Evaluation | undefined> {
  let sum = 0;
  let count = 0;
  const figures = new Sums(names);
  for (const make of batches) {
    if (signal?.aborted === true) return undefined;
    const made = make();
    const [batch = made] = (await program.prepare?.([made], { weights, seed: 0, step, training: false })) ?? [];
    const outcome = await program.run(batch, { weights, scale: 1, seed: 0 });
    sum += outcome.loss * (reduction === "mean" ? batch.count : 1);
    figures.add(outcome.figures);
    count += batch.count;
  }
  return { loss: sum / count, ...figures.means() };
}
