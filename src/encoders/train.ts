/**
 * Training an encoder for epochs over examples. Which examples an update has, and its dropout, are functions of
 * (seed, epoch) and (seed, step): a run that is stopped and resumed equals one that was not, bit for bit.
 */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomically } from "../checkpoints/files.ts";
import { ConfigError, DataError } from "../errors.ts";
import { loadEmbedder } from "../retrieval/embedder.ts";
import type { SessionOptions } from "../runtime/ort.ts";
import { checkLabels } from "../tasks/labelled.ts";
import { allocateParameters, startParameters } from "../runtime/parameters.ts";
import { random } from "../tensor/random.ts";
import { restoreCheckpoint, saveCheckpoint, type TrainState } from "../train/checkpoint.ts";
import { openMetricsLog } from "../train/metrics-log.ts";
import { createOptimiser } from "../train/optimiser.ts";
import { learningRate } from "../train/schedule.ts";
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

export interface EncoderOptions {
  /** Directory that the training starts from. */
  readonly model: string;
  /** Directory of the teacher, for distillation. */
  readonly teacher?: string | undefined;
  /** JSON lines; of a tagger IOB2 too. */
  readonly data: string;
  /** Held out, of the same form: its loss is measured before and after; in a resumed run where that begins. */
  readonly valid?: string | undefined;
  readonly output: string;
  readonly resume?: boolean;
  /** Other parameters than `model`'s: a fresh start, for comparison. */
  readonly untrained?: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: EncoderEvent) => void | Promise<void>) | undefined;
}

export type EncoderEvent =
  | {
      readonly type: "started";
      readonly step: number;
      readonly steps: number;
      readonly examples: number;
      readonly parameters: number;
    }
  | {
      readonly type: "step";
      readonly step: number;
      readonly steps: number;
      readonly loss: number;
      readonly learningRate: number;
      readonly gradientNorm: number;
      readonly examplesPerSecond: number;
      readonly secondsLeft: number;
    }
  | { readonly type: "evaluated"; readonly step: number; readonly loss: number }
  | { readonly type: "saved"; readonly step: number; readonly folder: string };

export interface EncoderResult {
  readonly step: number;
  readonly stopped: boolean;
  /** Mean loss of the last twenty updates. */
  readonly loss: number;
  readonly before: number | undefined;
  readonly after: number | undefined;
  readonly model: string;
}

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
      const problem = examples.labelled!.several ? "multi_label_classification" : "single_label_classification";
      const source = await openHeadSource(options.model, "ForSequenceClassification", labels, problem);
      return both(source, (part) => classProgram(source, config, part, labels, session));
    }
    case "tags": {
      const labels = tagLabels(examples, held, options);
      const source = await openHeadSource(options.model, "ForTokenClassification", labels);
      return both(source, (part) => tagProgram(source, config, part, labels, session));
    }
  }
}

/** Classes of the training data. @throws DataError where there are fewer than two, or the held-out data has others. */
function classLabels({ labelled }: Examples, held: Examples | undefined, { data, valid }: EncoderOptions): string[] {
  const { several, examples } = labelled!;
  const labels = [...new Set(examples.flatMap((one) => one.labels))].sort();
  if (labels.length < (several ? 1 : 2)) {
    throw new DataError(
      `${data}: expected texts of at least ${several ? "one label" : "two labels"}, got ${labels.length}`,
    );
  }
  if (held?.labelled === undefined) return labels;
  if (held.labelled.several !== several) {
    throw new DataError(`${valid}: expected "${several ? "labels" : "label"}" as in ${data}`);
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
 * Trains to the end of the epochs, or to where `signal` stops it. OUTPUT gets run.json, metrics.jsonl, checkpoints/ and
 * model/.
 * @throws ConfigError, DataError or CheckpointError; what was saved before stays.
 */
export async function trainEncoder(config: EncoderConfig, options: EncoderOptions): Promise<EncoderResult> {
  const { output, signal } = options;
  const session: SessionOptions = { device: config.device, threads: config.threads === 0 ? undefined : config.threads };
  const { source, train, valid } = await prepare(config, options, session);
  await using program = train.program;
  await using held = valid?.program;
  const isNew = options.untrained === true ? (): boolean => true : program.isNew;
  const start = options.untrained === true ? { ...source, entries: new Map() } : source;
  const parameters = await startParameters(program.graph, start, config.seed, isNew);
  const gradients = allocateParameters(program.graph);
  await using optimiser = await createOptimiser(config.optimiser, parameters.flat, session);
  const { firstMoment, secondMoment } = optimiser.state;
  const state: TrainState = { step: 0, parameters, firstMoment, secondMoment };
  if (options.resume === true) await restoreCheckpoint(output, state);
  else await rm(join(output, "checkpoints"), { recursive: true, force: true });
  optimiser.state.step = state.step;
  const { model, teacher, data } = options;
  await writeFileAtomically(
    join(output, "run.json"),
    `${JSON.stringify({ ...config, inputs: { model, teacher, data, valid: options.valid } }, null, 2)}\n`,
  );

  const plan = planOf(config, train.sizes);
  const schedule = { ...config.schedule, initial: 0, warmup: Math.round(config.schedule.warmup * plan.steps) };
  const weights = Object.fromEntries(parameters.tensors);
  const log = await openMetricsLog(join(output, "metrics.jsonl"), state.step);
  const emit = async (event: EncoderEvent): Promise<void> => {
    if (event.type === "step" || event.type === "evaluated") log.write(event);
    await options.onEvent?.(event);
  };
  const evaluate = async (): Promise<number | undefined> => {
    if (held === undefined || valid === undefined) return undefined;
    let sum = 0;
    for (let first = 0; first < valid.examples; first += config.batch) {
      const batch = Array.from({ length: Math.min(config.batch, valid.examples - first) }, (_, i) => first + i);
      sum += (await held.loss(batch, { weights, seed: 0 })) * batch.length;
    }
    await emit({ type: "evaluated", step: state.step, loss: sum / valid.examples });
    return sum / valid.examples;
  };
  const save = async (): Promise<void> => {
    const folder = await saveCheckpoint(output, state, new Map(), { keep: 1 });
    await emit({ type: "saved", step: state.step, folder });
  };
  const { length: count } = parameters.flat;
  await emit({ type: "started", step: state.step, steps: plan.steps, examples: train.sizes.length, parameters: count });
  const before = await evaluate();
  const losses: number[] = [];
  const [began, first] = [performance.now(), state.step];
  while (state.step < plan.steps) {
    if (signal?.aborted === true) break;
    const batch = plan.batch(state.step);
    const seed = random(config.seed, state.step, 1).integer(2147483647);
    const loss = await program.loss(batch, { weights, seed }, gradients);
    const rate = learningRate(schedule, state.step + 1, plan.steps);
    const { gradientNorm } = await optimiser.update(gradients.flat, rate);
    state.step += 1;
    losses.push(loss);
    const seconds = (performance.now() - began) / 1000 / (state.step - first);
    await emit({
      type: "step",
      step: state.step,
      steps: plan.steps,
      loss,
      learningRate: rate,
      gradientNorm,
      examplesPerSecond: config.batch / seconds,
      secondsLeft: seconds * (plan.steps - state.step),
    });
    if (config.save.every > 0 && state.step % config.save.every === 0 && state.step < plan.steps) await save();
  }
  const stopped = state.step < plan.steps;
  await save();
  const folder = join(output, "model");
  if (!stopped) await program.save(folder, parameters);
  const last = losses.slice(-20);
  const loss = last.reduce((sum, value) => sum + value, 0) / last.length;
  return { step: state.step, stopped, loss, before, after: stopped ? undefined : await evaluate(), model: folder };
}
