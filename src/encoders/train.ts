/**
 * Training an encoder for epochs over examples. Which examples an update has, and its dropout, are functions of
 * (seed, epoch) and (seed, step): a run that is stopped and resumed equals one that was not, bit for bit.
 */
import { ConfigError, DataError } from "../errors.ts";
import { loadEmbedder } from "../retrieval/embedder.ts";
import type { SessionOptions } from "../runtime/session.ts";
import { checkLabels } from "../tasks/labelled.ts";
import { allocateParameters, parameterCount, startParameters } from "../runtime/parameters.ts";
import { random } from "../tensor/random.ts";
import { createArena } from "../train/arena.ts";
import type { TrainState } from "../train/checkpoint.ts";
import { createOptimiser } from "../train/optimiser.ts";
import { checkOutput, type RunEvent, type RunOptions, type RunResult, runUpdates, startRun } from "../train/loop.ts";
import { principalComponents } from "./components.ts";
import type { EncoderConfig } from "./config.ts";
import { type Examples, readExamples } from "./data.ts";
import { distilProgram, listProgram } from "./embeddings.ts";
import { classProgram, pairProgram, tagProgram } from "./heads.ts";
import { lateProgram } from "./late.ts";
import { planOf } from "./plan.ts";
import type { Program } from "./program.ts";
import {
  type EmbeddingSource,
  openEmbeddingSource,
  openHeadSource,
  openLateSource,
  openPairSource,
  type Source,
} from "./source.ts";

export interface EncoderOptions extends RunOptions<EncoderEvent> {
  /** Directory that the training starts from. */
  readonly model: string;
  /** Directory of the teacher, for distillation. */
  readonly teacher?: string | undefined;
  /** JSON lines; of a tagger IOB2 too. */
  readonly data: string;
  /** Held out, of the same form: its loss is measured before and after; in a resumed run where that begins. */
  readonly valid?: string | undefined;
  /** Other parameters than `model`'s: a fresh start, for comparison. */
  readonly untrained?: boolean;
}

export type EncoderEvent =
  | {
      readonly type: "started";
      readonly step: number;
      readonly steps: number;
      readonly examples: number;
      readonly parameters: number;
    }
  | RunEvent<{ readonly examplesPerSecond: number }>;

/** `loss` is the mean of the last twenty updates. */
export type EncoderResult = RunResult;

/** A program with the start of its parameters, and the examples it knows by number. */
interface Prepared {
  readonly source: Source;
  readonly train: { readonly program: Program; readonly sizes: readonly number[] };
  readonly valid: { readonly program: Program; readonly examples: number } | undefined;
}

/** The length of every example, in characters or words. */
function sizesOf({ texts, lists, labelled, tagged }: Examples): number[] {
  const longest = (some: readonly string[]): number => Math.max(...some.map(({ length }) => length));
  if (texts !== undefined) return texts.map(({ length }) => length);
  if (lists !== undefined) return lists.map(({ documents }) => longest(documents));
  if (labelled !== undefined) return labelled.examples.map(({ text }) => text.length);
  return (tagged ?? []).map(({ tokens }) => tokens.length);
}

async function prepare(config: EncoderConfig, options: EncoderOptions, session: SessionOptions): Promise<Prepared> {
  const { objective, documents, queryTokens: query, documentTokens: document } = config;
  const read = async (path: string): Promise<Examples> => {
    const found = await readExamples(path, objective, documents);
    if (sizesOf(found).length === 0) throw new DataError(`${path}: expected examples, got none`);
    return found;
  };
  const examples = await read(options.data);
  const held = options.valid === undefined ? undefined : await read(options.valid);
  const both = async (source: Source, make: (part: Examples) => Program | Promise<Program>): Promise<Prepared> => ({
    source,
    train: { program: await make(examples), sizes: sizesOf(examples) },
    valid: held === undefined ? undefined : { program: await make(held), examples: sizesOf(held).length },
  });
  switch (objective.kind) {
    case "distil": {
      const source = await openEmbeddingSource(options.model);
      const [vectors, heldVectors] = await teacherVectors(source, config, options, examples, held);
      return both(source, (part) =>
        distilProgram(source, config, part, part === examples ? vectors : heldVectors, session),
      );
    }
    case "ranking":
    case "margin":
    case "divergence": {
      const source = await openEmbeddingSource(options.model);
      return both(source, (part) => listProgram(source, config, part, session));
    }
    case "late-contrastive":
    case "late-divergence": {
      const source = await openLateSource(options.model, { query, document });
      return both(source, (part) => lateProgram(source, config, part, session));
    }
    case "pairs": {
      const source = await openPairSource(options.model);
      return both(source, (part) => pairProgram(source, config, part, session));
    }
    case "classes": {
      const labels = classLabels(examples, held, options);
      const problem = examples.labelled!.multiLabel ? "multi_label_classification" : "single_label_classification";
      const source = await openHeadSource(options.model, "sequence", labels, problem);
      return both(source, (part) => classProgram(source, config, part, labels, session));
    }
    case "tags": {
      const labels = tagLabels(examples, held, options);
      const source = await openHeadSource(options.model, "token", labels);
      return both(source, (part) => tagProgram(source, config, part, labels, session));
    }
  }
}

/** Classes of the training data. @throws DataError where there are fewer than two, or the held-out data has others. */
function classLabels({ labelled }: Examples, held: Examples | undefined, { data, valid }: EncoderOptions): string[] {
  const { multiLabel, examples } = labelled!;
  const labels = [...new Set(examples.flatMap((one) => one.labels))].sort();
  if (labels.length < (multiLabel ? 1 : 2)) {
    throw new DataError(
      `${data}: expected texts of at least ${multiLabel ? "one label" : "two labels"}, got ${labels.length}`,
    );
  }
  if (held?.labelled === undefined) return labels;
  if (held.labelled.multiLabel !== multiLabel) {
    throw new DataError(`${valid}: expected "${multiLabel ? "labels" : "label"}" as in ${data}`);
  }
  held.labelled.examples.forEach((one, i) => checkLabels(one, labels, `${valid!}: text ${i + 1}`));
  return labels;
}

/** "O", and B and I of every type of the training data. @throws DataError where the held-out data has others. */
function tagLabels({ tagged }: Examples, held: Examples | undefined, { valid }: EncoderOptions): string[] {
  const seen = tagged!.flatMap(({ tags }) => tags).filter((tag) => tag !== "O");
  const labels = [
    ...new Set(["O", ...seen.flatMap((tag) => ["B", "I"].map((prefix) => prefix + tag.slice(1)))]),
  ].sort();
  (held?.tagged ?? []).forEach(({ tags }, i) => {
    const unknown = tags.find((tag) => !labels.includes(tag));
    if (unknown === undefined) return;
    throw new DataError(`${valid}: sentence ${i + 1}: expected tags among ${labels.join(", ")}; got "${unknown}"`);
  });
  return labels;
}

/** The teacher's vectors of training and held-out texts, brought to the student's width where that is asked for. */
async function teacherVectors(
  source: EmbeddingSource,
  config: EncoderConfig,
  { teacher }: EncoderOptions,
  examples: Examples,
  held: Examples | undefined,
): Promise<[Float32Array[], Float32Array[]]> {
  if (teacher === undefined) throw new ConfigError("teacher: expected a directory, got none");
  await using embedder = await loadEmbedder(teacher, { device: config.device === "auto" ? "cpu" : config.device });
  const vectors = await embedder.embed(examples.texts!);
  const heldVectors = held === undefined ? [] : await embedder.embed(held.texts!);
  const own = (source.config as unknown as { hidden_size: number }).hidden_size;
  const { objective } = config;
  if (objective.kind !== "distil" || objective.projection !== "pca" || embedder.width === own)
    return [vectors, heldVectors];
  // As the published script: components of the first 40,000, and no mean taken away.
  const components = principalComponents(vectors.slice(0, 40_000), own);
  const project = (vector: Float32Array): Float32Array =>
    Float32Array.from({ length: own }, (_, i) => {
      let sum = 0;
      for (let k = 0; k < vector.length; k++) sum += vector[k]! * components[i * vector.length + k]!;
      return sum;
    });
  return [vectors.map(project), heldVectors.map(project)];
}

/**
 * Trains to the end of the epochs, or to where `signal` stops it.
 * @throws ConfigError, DataError or CheckpointError; what was saved before stays.
 */
export async function trainEncoder(config: EncoderConfig, options: EncoderOptions): Promise<EncoderResult> {
  await checkOutput(options.output, options.resume);
  const session: SessionOptions = { device: config.device, threads: config.threads === 0 ? undefined : config.threads };
  const { source, train, valid } = await prepare(config, options, session);
  await using program = train.program;
  await using held = valid?.program;
  const isNew = options.untrained === true ? (): boolean => true : program.isNew;
  const start = options.untrained === true ? { ...source, entries: new Map() } : source;
  const { allocate } = createArena(parameterCount(program.graph), 4); // parameters, gradients, two moments
  const parameters = await startParameters(program.graph, start, config.seed, isNew, allocate);
  const gradients = allocateParameters(program.graph, allocate);
  const optimiser = createOptimiser(config.optimiser, parameters.flat);
  const state: TrainState = { step: 0, parameters, optimiser: optimiser.state };
  const { model, teacher, data } = options;
  const emit = await startRun(options, state, { ...config, inputs: { model, teacher, data, valid: options.valid } });

  const { steps, batch: batchOf } = planOf(config, train.sizes);
  const weights = Object.fromEntries(parameters.tensors);
  const losses: number[] = [];
  const [{ length: examples }, { length: count }] = [train.sizes, parameters.flat];
  await emit({ type: "started", step: state.step, steps, examples, parameters: count });
  const result = await runUpdates(
    {
      state,
      steps,
      schedule: { ...config.schedule, initial: 0, warmup: Math.round(config.schedule.warmup * steps) },
      keep: 1,
      files: new Map(),
      async update(rate) {
        const batch = batchOf(state.step);
        const seed = random(config.seed, state.step, 1).integer(2147483647);
        const loss = await program.loss(batch, { weights, seed }, gradients);
        losses.push(loss);
        return { loss, work: batch.length, ...optimiser.update(gradients.flat, rate) };
      },
      describe: (examplesPerSecond: number) => ({ examplesPerSecond }),
      async evaluate() {
        if (held === undefined || valid === undefined) return undefined;
        let sum = 0;
        for (let first = 0; first < valid.examples; first += config.batch) {
          const batch = Array.from({ length: Math.min(config.batch, valid.examples - first) }, (_, i) => first + i);
          sum += (await held.loss(batch, { weights, seed: 0 })) * batch.length;
        }
        return { loss: sum / valid.examples };
      },
      every: { evaluate: 0, save: config.save.every, sample: 0 },
      writeModel: (folder) => program.save(folder, parameters),
    },
    options,
    emit,
  );
  const last = losses.slice(-20);
  return { ...result, loss: last.reduce((sum, value) => sum + value, 0) / last.length };
}
