/**
 * What a policy says to its prompts, sampled from its weights as they are in memory, and what is kept of it: where several
 * updates learn from the same samples, a resumed run reads them from its folder, since the weights of then are gone.
 */
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { type Generator, generate, openGenerator } from "../../generate/index.ts";
import { writeFileAtomically } from "../../io/files.ts";
import { readJson } from "../../io/json.ts";
import type { Tensors } from "../../runtime/session.ts";
import { commonLength } from "../../tokenizers/ids.ts";
import type { Tokenizer } from "../../tokenizers/tokenizer.ts";
import { listCheckpoints } from "../checkpoint.ts";
import type { Compiler, Start } from "./objective.ts";

/** One sample. */
export interface Sample {
  /** Tokens of the prompt and of the answer, the end included where it was reached. */
  readonly ids: readonly number[];
  /** Tokens of the prompt. */
  readonly prompt: number;
  readonly ended: boolean;
  /** The answer without special tokens. */
  readonly text: string;
}

export interface SamplingSettings {
  /** Samples of a prompt. */
  readonly completions: number;
  readonly temperature: number;
  readonly maxNewTokens: number;
  /** What ends an answer. */
  readonly endIds: readonly number[];
}

export interface Sampler extends AsyncDisposable {
  /**
   * The samples of every prompt, one behind another. What is drawn is a function of the seed, a prompt's number, which
   * of its samples it is, and the token.
   */
  sample(
    prompts: readonly { readonly number: number; readonly ids: readonly number[] }[],
    weights: Tensors,
    seed: number,
  ): Promise<Sample[]>;
}

/** Bytes of keys and values at once; prompts beyond wait. */
const cacheBytes = 2 ** 30;

/** Opened once: weights are inputs of the decoding graph, so that those of every update are sampled without compiling. */
export async function openSampler(
  {
    start,
    tokenizer,
    merged,
    options,
  }: Pick<Compiler, "options"> & {
    readonly start: Start;
    readonly tokenizer: Tokenizer;
    /** The model's weights, of those that learn. */
    merged(weights: Tensors): Tensors;
  },
  { completions, temperature, maxNewTokens, endIds }: SamplingSettings,
  first: Tensors,
): Promise<Sampler> {
  const current: Record<string, Tensors[string]> = { ...merged(first) };
  const generator: Generator = await openGenerator({ ...start, tokenizer, weights: current, session: options });
  const textOf = (ids: readonly number[]): string => tokenizer.decode(ids, { skipSpecialTokens: true });
  return {
    async sample(prompts, weights, seed) {
      Object.assign(current, merged(weights));
      const { sequences } = await generate(generator, {
        ids: prompts.map(({ ids }) => ids),
        numbers: prompts.map(({ number }) => number),
        numReturnSequences: completions,
        maxNewTokens,
        doSample: true,
        temperature,
        topK: 0,
        eosTokenId: endIds,
        seed,
        cacheBytes,
      });
      return sequences.map((ids, i) => {
        const asked = prompts[Math.floor(i / completions)]!.ids;
        // Read together: alone, some vocabularies' first word loses the space before it.
        const whole = textOf(ids);
        const text = whole.slice(commonLength(textOf(asked), whole));
        return { ids, prompt: asked.length, ended: endIds.includes(ids.at(-1)!), text };
      });
    },
    [Symbol.asyncDispose]: () => generator[Symbol.asyncDispose](),
  };
}

/** A sample with what is known of it from when it was drawn. */
export interface Rollout extends Sample {
  readonly reward: number;
  /** What each part of the reward gave. */
  readonly parts: readonly number[];
  readonly advantage: number;
  /** Of every token of the answer: its log-probability by the policy that drew it, and by the reference where it counts. */
  readonly old: readonly number[];
  readonly reference?: readonly number[] | undefined;
  /** Of the distribution that each was drawn from, in nats. */
  readonly entropies: readonly number[];
}

/** Of the run's folder. */
export const rolloutsFolder = "rollouts";

const numbers = z.array(z.number());
const kept = z.array(
  z.array(
    z.strictObject({
      ids: z.array(z.int().min(0)),
      prompt: z.int().positive(),
      ended: z.boolean(),
      text: z.string(),
      reward: z.number(),
      parts: numbers,
      advantage: z.number(),
      old: numbers,
      reference: numbers.optional(),
      entropies: numbers,
    }),
  ),
);

/** The samples that the updates from `step` on learn from. `rank`: a number that no other process of the run has. */
const fileOf = (output: string, step: number, rank: number): string =>
  join(output, rolloutsFolder, `${step}-${rank}.json`);

/** Writes the samples of a rank's micro-batches, and removes those that no checkpoint of the run needs any more. */
export async function keepRollouts(
  output: string,
  { step, rank, repeats }: { readonly step: number; readonly rank: number; readonly repeats: number },
  rollouts: readonly (readonly Rollout[])[],
): Promise<void> {
  await writeFileAtomically(fileOf(output, step, rank), `${JSON.stringify(rollouts)}\n`);
  const [oldest = 0] = await listCheckpoints(output);
  for (const name of await readdir(join(output, rolloutsFolder))) {
    const from = Number.parseInt(name, 10);
    if (from !== step && from + repeats <= oldest) await rm(join(output, rolloutsFolder, name), { force: true });
  }
}

/** @throws DataError or CheckpointError where they are not there any more, or damaged. */
export function readRollouts(output: string, step: number, rank: number): Promise<readonly (readonly Rollout[])[]> {
  return readJson(fileOf(output, step, rank), kept);
}
