/**
 * The complete configuration of a fine-tuning run, checked: a task's published hyperparameters, fitted to the model,
 * and settings of the form `path=value` that change them.
 */
import * as z from "zod";
import { ConfigError } from "../errors.ts";
import { familyOf, type ModelConfig } from "../models/index.ts";
import { devices } from "../runtime/session.ts";
import { ownHyperparameters, softPromptHyperparameters } from "../recipes/soft-prompts.ts";
import { fitTruncation } from "../soft-prompts/formats.ts";
import type { NamedTask } from "../soft-prompts/metadata.ts";
import { trainConfigSchema, withSettings } from "../train/config.ts";

const count = z.int().positive();
const share = z.number().min(0).lt(1);

const finetuneConfigSchema = z.strictObject({
  /** The task's name. */
  task: z.string(),
  /** What learns: every weight (as published), the soft prompt's rows alone, or low-rank adapters with the prompt. */
  mode: z.enum(["full", "prompt", "lora"]),
  /** Rows added to the vocabulary and put between source and target. */
  promptLength: z.int().min(0).max(1024),
  truncation: z.strictObject({ maxPositions: count, maxSourceTokens: count, marker: z.string() }),
  /** The run ends after so many epochs or updates; one of the two is null. */
  epochs: count.nullable(),
  updates: count.nullable(),
  /** Most tokens of a batch, padding included, the prompt not. */
  tokensPerBatch: count,
  /** Batches of an update. */
  accumulate: count,
  optimiser: trainConfigSchema.shape.optimiser,
  schedule: trainConfigSchema.shape.schedule,
  dropout: share,
  /** The model is the mean of the last n epochs' weights; 1: the last. */
  average: count,
  /** Hu et al. 2021 (arXiv:2106.09685): W + alpha / rank · B A for the layers named. */
  lora: z.strictObject({ rank: count, alpha: z.number().positive(), targets: z.array(z.string()).min(1) }),
  /** Updates between checkpoints for resuming; 0: those of an epoch. */
  save: z.strictObject({ every: z.int().min(0) }),
  /** Epochs between losses on the validation split; 0: never. */
  validate: z.strictObject({ every: z.int().min(0) }),
  /** Each layer's forward pass is done again in the backward pass: less memory, a third more time. */
  checkpointing: z.boolean(),
  seed: z.int().min(0),
  device: z.enum(devices),
  /** 0: one a core. */
  threads: z.int().min(0),
});

export type FinetuneConfig = z.infer<typeof finetuneConfigSchema>;

/**
 * A task's configuration for a model, with `settings` applied.
 * @throws ConfigError that names the setting, what was expected and what came.
 */
export function finetuneConfig(
  { task, format, tuning }: Pick<NamedTask, "task" | "format" | "tuning">,
  model: ModelConfig,
  settings: readonly string[] = [],
): FinetuneConfig {
  const h = tuning === undefined ? softPromptHyperparameters(task.name) : ownHyperparameters(tuning);
  const config: FinetuneConfig = {
    task: task.name,
    mode: "full",
    promptLength: format.promptLength,
    truncation: fitTruncation(format.truncation, model.max_position_embeddings),
    epochs: "epochs" in h.stop ? h.stop.epochs : null,
    updates: "updates" in h.stop ? h.stop.updates : null,
    tokensPerBatch: h.tokensPerBatch,
    accumulate: h.accumulation,
    // fairseq's "adam" decays weights apart from the gradient, which the field calls AdamW.
    optimiser: {
      name: "adamw",
      betas: [...h.adamBetas],
      epsilon: 1e-8,
      weightDecay: h.weightDecay,
      clipNorm: h.clipNorm,
    },
    schedule: {
      kind: "inverse_sqrt",
      peak: h.learningRate,
      warmup: h.warmupUpdates,
      initial: h.warmupInitialLearningRate,
      floor: 0,
    },
    dropout: h.dropout,
    average: h.checkpoint === "last" ? 1 : h.checkpoint.averageLastEpochs,
    lora: { rank: 8, alpha: 16, targets: [...familyOf(model, "model").loraTargets] },
    save: { every: 0 },
    validate: { every: 1 },
    checkpointing: false,
    seed: 1,
    device: "cpu",
    threads: 0,
  };
  const changed = withSettings(finetuneConfigSchema, config, settings);
  const positions = model.max_position_embeddings;
  if (changed.truncation.maxPositions > positions) {
    throw new ConfigError(
      `truncation.maxPositions: expected at most the model's ${positions}, got ${changed.truncation.maxPositions}`,
    );
  }
  return withOneEnd(changed, settings);
}

/** Epochs given on the command line take the place of a task's updates, and the other way round. */
function withOneEnd(config: FinetuneConfig, settings: readonly string[]): FinetuneConfig {
  if ((config.epochs === null) !== (config.updates === null)) return config;
  const given = (name: string): boolean => settings.some((setting) => setting.startsWith(`${name}=`));
  if (config.epochs !== null && given("epochs") !== given("updates")) {
    return given("epochs") ? { ...config, updates: null } : { ...config, epochs: null };
  }
  throw new ConfigError(`epochs, updates: expected one of the two, got ${config.epochs ? "both" : "neither"}`, {
    hint: "set epochs=N, or updates=N",
  });
}
