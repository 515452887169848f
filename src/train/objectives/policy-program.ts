/**
 * A policy's update: its samples, what they are worth, their log-probabilities by the policy and by the reference, then
 * the loss and its gradients, some samples at once.
 */
// N tokens of answers
import { Graph } from "../../graph/graph.ts";
import { tokenDistributions } from "../../models/graphs.ts";
import { byLength, sliceRows } from "../../runtime/batching.ts";
import { openNetwork } from "../../runtime/network.ts";
import { Owned } from "../../runtime/owned.ts";
import type { Session, Tensors } from "../../runtime/session.ts";
import { tensor } from "../../tensor/tensor.ts";
import type { Tokenizer } from "../../tokenizers/tokenizer.ts";
import { deviation, groupsOf, leaveOneOut, relativeAdvantages, type Scaling } from "./advantages.ts";
import { addTo } from "./cached-gradients.ts";
import type { Batch, Compiler, Figures, LossProgram, Preparation, Start } from "./objective.ts";
import {
  answerFeeds,
  answerLength,
  clippedCount,
  countOf,
  lossFeeds,
  type LossSettings,
  policyLoss,
} from "./policy-loss.ts";
import type { SampledAnswer } from "./reward-rules.ts";
import { type Rewards, rewardsOf } from "./rewards.ts";
import {
  keepRollouts,
  openSampler,
  readRollouts,
  type Rollout,
  type Sample,
  type Sampler,
  type SamplingSettings,
} from "./rollouts.ts";
import { float32 } from "./texts.ts";

/** A prompt as it is put to the policy. */
export interface Asked extends Pick<SampledAnswer, "prompt" | "fields" | "where"> {
  readonly ids: readonly number[];
}

export interface PolicyBatch extends Batch {
  readonly prompts: readonly (Asked & { readonly number: number })[];
  /** Those of the first prompt, then of the second. */
  readonly rollouts?: readonly Rollout[];
  /** This micro-batch's `share` of what drawing took for the update's, and preparing them in all. */
  readonly seconds?: { readonly drawing: number; readonly preparing: number; readonly share: number };
}

export interface PolicyParts {
  readonly start: Start;
  readonly tokenizer: Tokenizer;
  readonly rewards: Rewards;
  readonly settings: LossSettings & SamplingSettings & { readonly scaleRewards: Scaling };
  readonly rowsAtOnce: number;
  /** Updates that learn from the same samples. */
  readonly iterations: number;
  /** Folder of the run. */
  readonly output: string;
}

const nothing = { drawing: 0, preparing: 0, share: 1 };

/** In the order in which they are shown. */
export function figureNames({ parts }: Rewards, { beta }: Pick<LossSettings, "beta">): string[] {
  const byPart = parts.length > 1 ? parts.map(({ name }) => `reward/${name}`) : [];
  const divergence = beta > 0 ? ["kl"] : [];
  const more = ["reward deviation", "entropy", "length", "ended", "clipped", "seconds drawing", "share drawing"];
  return ["reward", ...divergence, ...byPart, ...more];
}

export function policyProgram(compiler: Compiler, parts: PolicyParts): LossProgram<PolicyBatch> {
  const { start, settings, rewards, rowsAtOnce, iterations, output } = parts;
  const { family, config } = start;
  const { completions, method, beta, temperature } = settings;
  const padId = config.pad_token_id ?? 0;
  const owned = new Owned();
  const graph = compiler.lossGraph((g) => policyLoss(g, family, config, settings), true);
  const once = <T extends AsyncDisposable>(open: () => Promise<T>): (() => Promise<T>) => {
    let made: Promise<T> | undefined;
    return () => (made ??= open().then((one) => owned.use(one)));
  };
  const session = once(() => compiler.session(graph));
  const scoring = once(() => compiler.session(tokenDistributions(compiler.graph(false), family, config, temperature)));
  // The start's weights where they lie, whatever becomes of those in memory.
  const reference = once(() => {
    const stored = tokenDistributions(new Graph(), family, config, temperature);
    return openNetwork(stored, start.entries, start.folder ?? "", compiler.options, () => ({}));
  });
  let sampler: Promise<Sampler> | undefined;
  const samplerOf = (weights: Tensors): Promise<Sampler> => {
    const merged = (learning: Tensors): Tensors => compiler.merged(graph, learning);
    const { options } = compiler;
    sampler ??= openSampler({ ...parts, merged, options }, settings, weights).then((one) => owned.use(one));
    return sampler;
  };

  /** Of every token of every answer, in the samples' order. */
  const scored = async (samples: readonly Sample[], scorer: Session, weights: Tensors): Promise<Scored[]> => {
    const found: Scored[] = [];
    for (const places of chunksOf(samples, rowsAtOnce)) {
      const chunk = sliceRows(samples, places);
      const outputs = await scorer.run({ ...weights, ...answerFeeds(chunk, padId) });
      const own = byAnswer(chunk, outputs["logProbabilities"]!.data as Float32Array);
      const entropies = byAnswer(chunk, outputs["entropies"]!.data as Float32Array);
      places.forEach((place, i) => (found[place] = { logProbabilities: own[i]!, entropies: entropies[i]! }));
    }
    return found;
  };

  /** Samples of all micro-batches of an update, drawn together. */
  const drawn = async (batches: readonly PolicyBatch[], { weights, seed }: Preparation): Promise<Drawn> => {
    const prompts = batches.flatMap((batch) => batch.prompts);
    const begun = performance.now();
    const samples = await (await samplerOf(weights)).sample(prompts, weights, seed);
    const seconds = (performance.now() - begun) / 1000;
    const answers = samples.map(({ ids, prompt, ended, text }, i): SampledAnswer => {
      const asked = prompts[Math.floor(i / completions)]!;
      return { ...asked, ids: ids.slice(prompt), ended, text };
    });
    const { sums, byPart } = await rewardsOf(rewards, answers);
    const own = await scored(samples, await scoring(), weights);
    const against = beta > 0 ? await scored(samples, await reference(), {}) : undefined;
    const advantages = advantagesOf(sums, own, against, settings);
    const rollouts = samples.map((sample, i): Rollout => {
      const { logProbabilities: old, entropies } = own[i]!;
      const known = { old, entropies, ...(against === undefined ? {} : { reference: against[i]!.logProbabilities }) };
      const worth = { reward: sums[i]!, parts: byPart.map((part) => part[i]!), advantage: advantages[i]! };
      return { ...sample, ...worth, ...known };
    });
    let first = 0;
    return {
      seconds,
      rollouts: batches.map(({ prompts: { length } }) => rollouts.slice(first, (first += length * completions))),
    };
  };

  let kept: { readonly step: number; readonly rollouts: Drawn["rollouts"] } | undefined;
  /** Where updates share samples: those of the first of them. */
  const shared = async (batches: readonly PolicyBatch[], preparation: Preparation): Promise<Drawn> => {
    const step = preparation.step - (preparation.step % iterations);
    const rank = batches[0]!.prompts[0]!.number;
    if (kept?.step !== step && step !== preparation.step) {
      kept = { step, rollouts: await readRollouts(output, step, rank) };
    }
    if (kept?.step === step) return { rollouts: kept.rollouts, seconds: 0 };
    const found = await drawn(batches, preparation);
    kept = { step, rollouts: found.rollouts };
    await keepRollouts(output, { step, rank, repeats: iterations }, found.rollouts);
    return found;
  };

  return {
    graph,
    async prepare(batches, preparation) {
      const begun = performance.now();
      const { training } = preparation;
      const found = await (training && iterations > 1 ? shared : drawn)(batches, preparation);
      const share = 1 / batches.length;
      const preparing = ((performance.now() - begun) / 1000) * share;
      const seconds = { drawing: found.seconds * share, preparing, share };
      return batches.map((batch, i) => {
        const rollouts = found.rollouts[i]!;
        const work = rollouts.reduce((sum, one) => sum + answerLength(one), 0);
        // What is held out is judged by its reward, a sample each.
        return { ...batch, rollouts, seconds, work, count: training ? countOf(settings, rollouts) : rollouts.length };
      });
    },
    async run({ rollouts = [], seconds = nothing }, { weights, scale, seed }, into) {
      const figures = sampleFigures(rollouts, rewards, completions);
      if (into === undefined) {
        const divergence = beta > 0 ? { kl: divergenceOf(rollouts, method) } : {};
        return {
          loss: -scale * rollouts.reduce((sum, { reward }) => sum + reward, 0),
          figures: { ...figures, ...divergence },
        };
      }
      const begun = performance.now();
      const learning = await session();
      let loss = 0;
      let clipped = 0;
      const now: number[][] = [];
      for (const [chunk, places] of chunksOf(rollouts, rowsAtOnce).entries()) {
        const some = sliceRows(rollouts, places);
        const inputs = {
          ...weights,
          ...lossFeeds(some, settings, padId),
          scale: float32([scale], []),
          seed: tensor("int64", [], BigInt64Array.of(BigInt(seed))),
        };
        const outputs = await learning.run(inputs, chunk === 0 ? into : undefined);
        if (chunk > 0) addTo(into, outputs);
        loss += Number(outputs["loss"]!.data[0]);
        const found = byAnswer(some, outputs["logProbabilities"]!.data as Float32Array);
        places.forEach((place, i) => {
          now[place] = found[i]!;
          clipped += clippedCount(settings, some[i]!, found[i]!);
        });
      }
      const tokens = figures["entropy"]!.count;
      const spent = seconds.preparing + (performance.now() - begun) / 1000;
      return {
        loss,
        figures: {
          ...figures,
          ...(beta > 0 ? { kl: divergenceOf(rollouts, method, now) } : {}),
          clipped: { sum: clipped, count: method === "rloo" ? rollouts.length : tokens },
          // Of the whole update, whatever its micro-batches.
          "seconds drawing": { sum: seconds.drawing, count: seconds.share },
          "share drawing": { sum: seconds.drawing, count: spent },
        },
      };
    },
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  };
}

/** Of an answer's tokens. */
interface Scored {
  readonly logProbabilities: readonly number[];
  readonly entropies: readonly number[];
}

interface Drawn {
  /** Of each micro-batch. */
  readonly rollouts: readonly (readonly Rollout[])[];
  readonly seconds: number;
}

/** RLOO takes the divergence off the reward, a sample's log-ratio in all; GRPO adds it to the loss, token by token. */
function advantagesOf(
  rewards: readonly number[],
  own: readonly Scored[],
  against: readonly Scored[] | undefined,
  { method, beta, completions, scaleRewards }: PolicyParts["settings"],
): number[] {
  if (method === "grpo") return relativeAdvantages(rewards, completions, scaleRewards);
  const penalised = rewards.map((reward, i) => {
    const apart = against === undefined ? 0 : sumOf(own[i]!.logProbabilities) - sumOf(against[i]!.logProbabilities);
    return reward - beta * apart;
  });
  return leaveOneOut(penalised, completions, scaleRewards === "batch" ? "batch" : "none");
}

const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

/** Places of samples of like length, so many at once. */
function chunksOf(samples: readonly Sample[], size: number): number[][] {
  return byLength(
    samples.map(({ ids }) => ids),
    size,
  );
}

/** What a graph gives for tokens of answers, answer by answer. */
function byAnswer(samples: readonly Sample[], values: Float32Array): number[][] {
  let first = 0;
  return samples.map((one) => [...values.subarray(first, (first += answerLength(one)))]);
}

/** What is known of samples before anything is learned from them. */
function sampleFigures(rollouts: readonly Rollout[], { parts }: Rewards, completions: number): Figures {
  const count = rollouts.length;
  const over = (of: (rollout: Rollout) => number): Figures[string] => ({ sum: sumOf(rollouts.map(of)), count });
  const lengths = over(answerLength);
  const rewards = rollouts.map(({ reward }) => reward);
  const spreads = groupsOf(rewards, completions).map(deviation);
  return {
    reward: over(({ reward }) => reward),
    ...(parts.length > 1
      ? Object.fromEntries(parts.map(({ name }, i) => [`reward/${name}`, over((one) => one.parts[i]!)]))
      : {}),
    "reward deviation": { sum: sumOf(spreads), count: spreads.length },
    entropy: { sum: sumOf(rollouts.map(({ entropies }) => sumOf(entropies))), count: lengths.sum },
    length: lengths,
    ended: over(({ ended }) => Number(ended)),
  };
}

/**
 * As TRL logs it: of GRPO the mean estimate of a token (see `policyLoss`), of RLOO the log-ratio of a sample.
 * @param now log-probabilities by the policy as it is.
 */
function divergenceOf(
  rollouts: readonly Rollout[],
  method: LossSettings["method"],
  now: readonly (readonly number[])[] = rollouts.map(({ old }) => old),
): Figures[string] {
  if (method === "rloo") {
    const apart = rollouts.map(({ old, reference }) => sumOf(old) - sumOf(reference!));
    return { sum: sumOf(apart), count: rollouts.length };
  }
  const estimates = rollouts.flatMap(({ old, reference }, i) =>
    now[i]!.map((own, t) => {
      const apart = reference![t]! - own;
      return Math.exp(own - old[t]!) * (Math.exp(apart) - apart - 1);
    }),
  );
  return { sum: sumOf(estimates), count: estimates.length };
}
