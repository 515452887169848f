/** The complete configuration of an encoder's training on pairs, lists or labels, checked. */
import * as z from "zod";
import { devices } from "../runtime/session.ts";
import { trainConfigSchema, withSettings } from "../train/config.ts";

const count = z.int().positive();
const positive = z.number().positive();
/** Temperatures of the student's and the teacher's scores. */
const temperatures = { student: positive, teacher: positive };

export const encoderConfigSchema = z.strictObject({
  /** The recipe's name. */
  recipe: z.string(),
  objective: z.discriminatedUnion("kind", [
    /** Vectors of a teacher: brought to the student's width by principal components, or the student's by a layer. */
    z.strictObject({
      kind: z.literal("distil"),
      projection: z.enum(["pca", "learned", "none"]),
      loss: z.enum(["squared", "cosine"]),
    }),
    /** Multiple negatives. rowsAtOnce > 0: gradients are cached (Gao et al. 2021, arXiv:2101.06983), so many at once. */
    z.strictObject({
      kind: z.literal("ranking"),
      scale: positive,
      rowsAtOnce: z.int().min(0),
      /** Widths that the vectors are also good at; empty: the whole alone. */
      matryoshka: z.array(count),
    }),
    z.strictObject({ kind: z.literal("margin") }),
    z.strictObject({ kind: z.literal("divergence"), ...temperatures }),
    z.strictObject({ kind: z.literal("late-contrastive"), temperature: positive }),
    z.strictObject({
      kind: z.literal("late-divergence"),
      ...temperatures,
      /** Own scores are stretched to [0, 1] before (PyLate's default). */
      stretch: z.boolean(),
    }),
    z.strictObject({ kind: z.literal("pairs"), loss: z.enum(["binary", "regression", "ranknet", "listnet"]) }),
    z.strictObject({ kind: z.literal("classes") }),
    z.strictObject({ kind: z.literal("tags") }),
  ]),
  /** Documents of a query that are trained on; the first is the right one where there are no scores. */
  documents: count,
  /** Most tokens: of a query; of a document, a text or a pair. */
  queryTokens: count,
  documentTokens: count,
  epochs: count,
  /** Queries, texts or sentences of an update. */
  batch: count,
  optimiser: trainConfigSchema.shape.optimiser,
  schedule: z.strictObject({
    kind: z.enum(["constant", "linear", "cosine"]),
    peak: positive,
    /** Share of the updates. */
    warmup: z.number().min(0).lt(1),
    floor: z.number().min(0).max(1),
  }),
  /** Updates; 0: at the end alone. */
  save: z.strictObject({ every: z.int().min(0) }),
  seed: z.int().min(0),
  device: z.enum(devices),
  /** 0: one a core. */
  threads: z.int().min(0),
});

export type EncoderConfig = z.infer<typeof encoderConfigSchema>;
export type Objective = EncoderConfig["objective"];

/** A configuration with settings of the form `path=value`. @throws ConfigError that names the setting. */
export function withEncoderSettings(config: EncoderConfig, settings: readonly string[]): EncoderConfig {
  return withSettings(encoderConfigSchema, config, settings);
}
