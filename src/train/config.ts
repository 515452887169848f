/** The complete configuration of a training run, checked, and settings of the form `path=value` that change it. */
import * as z from "zod";
import { ConfigError } from "../errors.ts";
import { parseConfig } from "../models/config.ts";
import { devices } from "../runtime/session.ts";

const count = z.int().positive();

export const trainConfigSchema = z.strictObject({
  /** The recipe's name. */
  recipe: z.string(),
  /** config.json of the model. */
  model: z.looseObject({ model_type: z.string(), vocab_size: count }),
  /** causal: predict the next token. masked: predict tokens that are hidden (see `masking.ts`). */
  objective: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("causal") }),
    z.strictObject({
      kind: z.literal("masked"),
      /** Share of tokens to predict. */
      rate: z.number().positive().lt(1),
      /** Pieces of a word are masked together. */
      wholeWords: z.boolean(),
      /** Tokens see the other documents of their block too. */
      acrossDocuments: z.boolean(),
    }),
  ]),
  /** Tokens of a block: the context that the model is trained on. */
  tokens: count,
  /** Blocks of a micro-batch. */
  batch: count,
  /** Micro-batches of an update. */
  accumulate: count,
  /** Updates. */
  steps: count,
  optimiser: z.strictObject({
    name: z.enum(["adam", "adamw"]),
    betas: z.tuple([z.number().min(0).lt(1), z.number().min(0).lt(1)]),
    epsilon: z.number().positive(),
    weightDecay: z.number().min(0),
    clipNorm: z.number().min(0),
  }),
  schedule: z.strictObject({
    kind: z.enum(["constant", "linear", "cosine", "inverse_sqrt"]),
    peak: z.number().positive(),
    warmup: z.int().min(0),
    initial: z.number().min(0),
    floor: z.number().min(0).max(1),
  }),
  /** 0 updates: never, but at the end. */
  evaluate: z.strictObject({ every: z.int().min(0), blocks: count }),
  sample: z.strictObject({ every: z.int().min(0), prompts: z.array(z.string()), maxNewTokens: count }),
  save: z.strictObject({ every: z.int().min(0), keep: count }),
  /** Each layer's forward pass is done again in the backward pass: less memory, a third more time. */
  checkpointing: z.boolean(),
  /** float16: computes in half precision on float32 parameters, with a loss scale that adapts. For GPUs. */
  precision: z.enum(["float32", "float16"]),
  seed: z.int().min(0),
  device: z.enum(devices),
  /** 0: one a core. */
  threads: z.int().min(0),
});

export type TrainConfig = z.infer<typeof trainConfigSchema>;

/** A training configuration with settings of the form `path=value`. @throws ConfigError as `withSettings`. */
export function applySettings(config: TrainConfig, settings: readonly string[]): TrainConfig {
  return withSettings(trainConfigSchema, config, settings);
}

/**
 * A configuration with settings such as `schedule.peak=1e-3` or `sample.prompts=["Aspirin is"]` applied.
 * @throws ConfigError that names the setting, what was expected and what came.
 */
export function withSettings<T extends object>(schema: z.ZodType<T>, config: T, settings: readonly string[]): T {
  const changed = structuredClone(config) as Record<string, unknown>;
  for (const setting of settings) {
    const at = setting.indexOf("=");
    if (at < 1) throw new ConfigError(`setting: expected path=value, got "${setting}"`);
    const path = setting.slice(0, at).split(".");
    let target = changed;
    for (const [i, key] of path.slice(0, -1).entries()) {
      const next = Object.hasOwn(target, key) ? target[key] : undefined;
      if (typeof next !== "object" || next === null) throw unknownSetting(path.slice(0, i + 1), target);
      target = next as Record<string, unknown>;
    }
    const last = path.at(-1)!;
    if (!Object.hasOwn(target, last)) throw unknownSetting(path, target);
    target[last] = parseValue(setting.slice(at + 1));
  }
  return parseConfig(schema, changed, "settings");
}

function unknownSetting(path: readonly string[], target: Record<string, unknown>): ConfigError {
  return new ConfigError(`setting: expected one of ${Object.keys(target).join(", ")}, got "${path.join(".")}"`);
}

/** JSON where it is JSON, else the text itself. */
function parseValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
