/**
 * A task of the user's own from a small JSON file: relations between names, named entities, or labels of a text, with
 * examples in `FOLDER/SPLIT.jsonl`. The wording is that of BioGPT's tasks of the same kind, unless the file says
 * otherwise. The file may also say how a model is tuned on it, which is handed on as it is.
 */
import * as z from "zod";
import { ConfigError } from "../errors.ts";
import type { Benchmark } from "./benchmark.ts";
import { entityBenchmark, entitySentences } from "./entities.ts";
import { offsetUnits } from "./offset-units.ts";
import { ownLabels } from "./own-labels.ts";
import { ownRelations } from "./own-relations.ts";

const about = {
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]*$/, "lower-case letters, digits and dashes")
    .default("custom"),
  version: z.string().default("1"),
  description: z.string().default("a user's own task"),
};

const tuning = {
  promptLength: z.int().min(0).max(64).optional(),
  maxPositions: z.int().min(16).optional(),
  maxSourceTokens: z.int().min(1).optional(),
  learningRate: z.number().positive().optional(),
  warmupUpdates: z.int().min(0).optional(),
  epochs: z.int().min(1).optional(),
};

const names = z
  .array(z.string().min(1))
  .min(1)
  .refine((all) => new Set(all).size === all.length, "each name once");

const relationSchema = z.strictObject({
  kind: z.literal("relation"),
  relations: names,
  template: z.string().default("the interaction between {head} and {tail} is {relation}"),
  none: z.string().default("no interaction is stated."),
  lowercase: z.boolean().default(true),
  ...about,
  ...tuning,
});

const entitySchema = z.strictObject({
  kind: z.literal("entities"),
  types: names.refine(
    (all) => new Set(all.map((one) => one.toLowerCase())).size === all.length,
    "differ in more than case",
  ),
  offsets: z.enum(offsetUnits).optional(),
  template: z.string().default(entitySentences.template),
  none: z.string().default(entitySentences.none),
  lowercase: z.boolean().default(false),
  ...about,
  ...tuning,
});

const classificationSchema = z.strictObject({
  kind: z.literal("classification"),
  labels: names,
  multiLabel: z.boolean().default(false),
  lead: z.string().min(1).default("the type of this document is"),
  lowercase: z.boolean().default(false),
  ...about,
  ...tuning,
});

/** What the file may hold. */
const taskSchema = z.discriminatedUnion("kind", [relationSchema, entitySchema, classificationSchema]);

/** What the file says of tuning, for `soft-prompts/formats.ts` and `recipes/soft-prompts.ts`. */
export type OwnTuning = Pick<z.output<typeof taskSchema>, "kind" | "name" | keyof typeof tuning>;

export interface OwnTask {
  readonly task: Benchmark;
  readonly tuning: OwnTuning;
}

/** A task from settings. @throws ConfigError that names each setting that does not fit. */
export function taskFromSchema(schema: unknown, where = "task"): OwnTask {
  const result = taskSchema.safeParse(schema);
  if (!result.success) throw new ConfigError(`${where}: ${z.prettifyError(result.error)}`);
  const { data: tuning } = result;
  switch (tuning.kind) {
    case "relation":
      return { task: ownRelations(tuning), tuning };
    case "entities":
      return { task: entityBenchmark(tuning), tuning };
    case "classification":
      return { task: ownLabels(tuning), tuning };
  }
}
