/**
 * A training as a folder that an engine on accelerators works on: `job.json` and the files that it names. Galen writes it,
 * `distributed/worker.py` reads it, and whatever is drawn at random (start weights, the order of examples) is drawn here,
 * so that a run is the same on any engine and any number of ranks.
 *
 *     DIR/job.json              what is trained, by the schema below; written once
 *     DIR/start/                the model that it starts from, in Hugging Face's format
 *     DIR/data/                 the order of examples, and texts that were tokenized for it
 *     DIR/worker/               worker.py, families.py, requirements.txt: what runs
 *     DIR/submitted.jsonl       what was handed to which launcher, a line each time
 *     DIR/metrics.jsonl         as of any training of Galen's
 *     DIR/checkpoints/step-…/   PyTorch's distributed checkpoints; whole where complete.json is there
 *     DIR/ranks/00000.json      heartbeat of a rank; 00000.error.json: its last words
 *     DIR/logs/                 what launchers and ranks printed
 *     DIR/stop                  asks the run to save and stop
 *     DIR/model/                the result, in Hugging Face's format
 *     DIR/done.json             written last: the files of the result
 */
import { join } from "node:path";
import * as z from "zod";
import { readJson } from "../io/json.ts";

/** Raised with every change that an older worker would misread; the worker refuses any other. */
export const jobVersion = 1;

const count = z.int().positive();

/** Token ids, little-endian, one after another: NAME.bin of a token file. Paths are absolute, or relative to the job's folder. */
const tokens = z.strictObject({
  path: z.string(),
  type: z.enum(["uint16", "int32"]),
  /** Examples (blocks, or texts) that it has. */
  examples: count,
});

/**
 * Which examples each micro-batch has: numbers, uint32 little-endian, `width` of them for each, 4,294,967,295 where it has
 * fewer. Of a training, `accumulate` micro-batches for each update, all updates one after another.
 */
const order = z.strictObject({ path: z.string(), width: count, batches: count });

/** No example. */
export const nobody = 0xffff_ffff;

const objective = z.discriminatedUnion("kind", [
  /** Example n is tokens [n · tokens, (n + 1) · tokens] of the files, which follow one another; the last is a label only. */
  z.strictObject({ kind: z.literal("causal"), tokens: count }),
  /**
   * Example n is tokens [n · tokens, (n + 1) · tokens). It is masked as `train/objectives/masking.ts` says, by the random
   * numbers of (seed, its number in the stream of all examples, 0x6d6c6d); held-out ones with the seed 0.
   */
  z.strictObject({
    kind: z.literal("masked"),
    tokens: count,
    rate: z.number(),
    wholeWords: z.boolean(),
    acrossDocuments: z.boolean(),
    vocabulary: z.strictObject({
      size: count,
      mask: z.int().min(0),
      /** What every document begins with; null: nothing. */
      start: z.int().min(0).nullable(),
      special: z.array(z.int().min(0)),
      /** A byte for each id, 1 where it goes on with the word of the piece before it; null: where wholeWords is false. */
      continues: z.string().nullable(),
    }),
  }),
  /** Example n is text n of the file, a document of the index; LEARNED beside it has a byte for each token: 1, it is learned. */
  z.strictObject({ kind: z.literal("instructions"), packing: z.boolean() }),
  /** Example n is texts 2n, the chosen one, and 2n + 1, the rejected one, with LEARNED as above. */
  z.strictObject({
    kind: z.literal("preference"),
    loss: z.enum(["sigmoid", "robust", "ipo", "sigmoid_norm"]),
    beta: z.number().positive(),
    labelSmoothing: z.number().min(0),
  }),
]);

const split = z.strictObject({
  files: z.array(tokens).min(1),
  order,
  /** Of texts: NAME.learned beside NAME.bin. Absent of blocks. */
  learned: z.string().optional(),
  /** Of texts: where each begins, and the end of the last, in tokens: int64 little-endian. Absent of blocks. */
  starts: z.string().optional(),
});

/** A choice of rotary positions, worked out: radians a position for each pair of a head, and the factor of cosines and sines. */
const rotary = z.strictObject({ angles: z.array(z.number()), factor: z.number() });

export const jobSchema = z.strictObject({
  version: z.literal(jobVersion),
  /** Of the package that wrote it. */
  galen: z.string(),
  recipe: z.string(),
  objective,
  model: z.strictObject({
    /** Folder of config.json and the weights: one safetensors file, or several with an index. */
    start: z.string(),
    /** `model_type`. */
    family: z.string(),
    /** config.json with what it leaves out filled in. */
    config: z.looseObject({}),
    /** Numbers that learn. */
    parameters: count,
    rotary: rotary.optional(),
    /** Of each kind of layer, where there are two (ModernBERT's local layers). */
    localRotary: rotary.optional(),
    /** How many tokens each layer sees back (decoders) or to either side (encoders); null: all. Absent: all layers see all. */
    windows: z.array(z.int().positive().nullable()).optional(),
  }),
  train: split,
  valid: split.optional(),
  seed: z.int().min(0),
  steps: count,
  /** Updates of an epoch. */
  perEpoch: count,
  /** Micro-batches of an update; micro-batch i is computed by rank i modulo the number of ranks. */
  accumulate: count,
  optimiser: z.strictObject({
    name: z.enum(["adam", "adamw"]),
    betas: z.tuple([z.number(), z.number()]),
    epsilon: z.number(),
    weightDecay: z.number(),
    clipNorm: z.number(),
  }),
  /** As `train/schedule.ts`; warmup in updates. */
  schedule: z.strictObject({
    kind: z.enum(["constant", "linear", "cosine", "inverse_sqrt"]),
    peak: z.number(),
    warmup: z.number(),
    initial: z.number(),
    floor: z.number(),
  }),
  /** Of computing, on float32 weights; float16 with a loss scale that adapts, for accelerators without bfloat16. */
  precision: z.enum(["float32", "float16", "bfloat16"]),
  /** Each layer is computed again in the backward pass. */
  checkpointing: z.boolean(),
  /** Updates between; 0: none on the way. */
  every: z.strictObject({ evaluate: z.int().min(0), save: z.int().min(0) }),
  /** Checkpoints that stay. */
  keep: count,
});

export type Job = z.infer<typeof jobSchema>;

/** @throws DataError where it is missing, or of another version. */
export function readJob(folder: string): Promise<Job> {
  return readJson(join(folder, "job.json"), jobSchema, 'name the folder of a job, made by "galen launch"');
}
