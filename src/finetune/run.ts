/**
 * The parts of a fine-tuning run: grown weights, compiled graphs, optimiser, and one update. The loss is the mean over
 * all labels of an update, whatever its batches: fairseq's sum over the update divided by its tokens.
 */
// B rows, T tokens, N labels
import { ConfigError } from "../errors.ts";
import { toOnnx } from "../graph/lower.ts";
import type { ModelConfig } from "../models/index.ts";
import { lossGraph } from "../models/graphs.ts";
import { int64 } from "../runtime/batch.ts";
import type { ModelFolder } from "../runtime/folder.ts";
import { createSession, type Session, type SessionOptions, type Tensors } from "../runtime/session.ts";
import { Owned } from "../runtime/owned.ts";
import { parameterCount, type Parameters } from "../runtime/parameters.ts";
import { random } from "../tensor/random.ts";
import { tensor } from "../tensor/tensor.ts";
import { createArena } from "../train/arena.ts";
import { accumulate, createOptimiser, type Optimiser } from "../train/optimiser.ts";
import type { Update } from "../train/loop.ts";
import type { FinetuneConfig } from "./config.ts";
import {
  allocateGradients,
  checkTrainable,
  growParameters,
  learns,
  loraAdapter,
  selectTrainable,
  type Trainable,
} from "./trainable.ts";

/** Sequences `</s> source prompt target </s>`, one an example. */
export type Sequences = readonly (readonly number[])[];

export interface Run extends AsyncDisposable {
  /** With the vocabulary grown. */
  readonly model: ModelConfig;
  readonly parameters: Parameters;
  readonly trainable: Trainable;
  readonly optimiser: Optimiser;
  /** One update from several batches; undefined when it was abandoned for a signal. */
  update(batches: readonly Sequences[], rate: number): Promise<Update | undefined>;
  /** Mean loss of a label. */
  loss(batches: readonly Sequences[]): Promise<number>;
}

export interface RunOptions {
  readonly vocabSize: number;
  readonly promptIds: readonly number[];
  readonly signal?: AbortSignal | undefined;
}

/** @throws ConfigError or CheckpointError where folder, prompt and settings do not fit. */
export async function createRun(folder: ModelFolder, config: FinetuneConfig, options: RunOptions): Promise<Run> {
  const owned = new Owned();
  try {
    return await assemble(folder, config, options, owned);
  } catch (error) {
    await owned[Symbol.asyncDispose]();
    throw error;
  }
}

async function assemble(folder: ModelFolder, config: FinetuneConfig, options: RunOptions, owned: Owned): Promise<Run> {
  const { family } = folder;
  if (!family.causal) {
    throw new ConfigError(`${folder.folder}: expected a decoder to tune with a soft prompt, got ${family.modelType}`);
  }
  const model: ModelConfig = { ...folder.config, vocab_size: options.vocabSize };
  const padId = model.pad_token_id;
  const { promptIds, signal } = options;
  const rows = { start: promptIds[0] ?? 0, count: promptIds.length };
  const adapt = config.mode === "lora" ? loraAdapter(config.lora) : undefined;
  const graph = lossGraph(family, family.withDropout(model, config.dropout), {
    gathered: true,
    training: true,
    checkpointing: config.checkpointing,
    gradients: learns(config.mode, rows.count),
    adapt,
  });
  checkTrainable(graph, config, rows.count);
  // Parameters, gradients, two moments; and a batch's gradients where they are added up. What few weights the other
  // modes train may lie anywhere.
  const buffers = config.accumulate === 1 ? 4 : 5;
  const allocate = config.mode === "full" ? createArena(parameterCount(graph), buffers).allocate : undefined;
  const where = { folder: folder.folder, seed: config.seed, allocate };
  const parameters = await growParameters(graph, folder.entries, where);
  const trainable = selectTrainable(config.mode, parameters, rows);
  const gradients = allocateGradients(config.mode, graph, rows, allocate);
  const scratch = config.accumulate === 1 ? gradients : allocateGradients(config.mode, graph, rows, allocate);

  const session: SessionOptions = { device: config.device, threads: config.threads === 0 ? undefined : config.threads };
  const training = owned.use(
    await createSession(toOnnx(graph), { ...session, keepRecomputation: config.checkpointing }),
  );
  const plain = lossGraph(family, model, { gathered: true, gradients: false, adapt });
  let scoring: Promise<Session> | undefined;
  const optimiser = createOptimiser(config.optimiser, trainable.flat);
  const weights = Object.fromEntries(parameters.tensors);

  return {
    model,
    parameters,
    trainable,
    optimiser,
    async update(batches, rate) {
      const tokens = labelsOf(batches);
      let loss = 0;
      for (const [index, batch] of batches.entries()) {
        if (signal?.aborted === true) return undefined;
        const seed = random(config.seed, optimiser.state.step, index).integer(2147483647);
        const target = index === 0 ? gradients : scratch;
        const inputs = {
          ...weights,
          ...feeds(batch, { tokens, padId }),
          seed: tensor("int64", [], BigInt64Array.of(BigInt(seed))),
        };
        loss += Number((await training.run(inputs, target.into))["loss"]!.data[0]);
        target.gather();
        if (index > 0) accumulate(gradients.flat, scratch.flat);
      }
      const { gradientNorm } = optimiser.update(gradients.flat, rate);
      trainable.scatter();
      return { loss, gradientNorm, work: tokens };
    },
    async loss(batches) {
      scoring ??= createSession(toOnnx(plain), session).then((made) => owned.use(made));
      const compiled = await scoring;
      const tokens = labelsOf(batches);
      let mean = 0;
      for (const batch of batches) {
        if (signal?.aborted === true) return NaN;
        mean += Number((await compiled.run({ ...weights, ...feeds(batch, { tokens, padId }) }))["loss"]!.data[0]);
      }
      return mean;
    },
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  };
}

const labelsOf = (batches: readonly Sequences[]): number =>
  batches.reduce((sum, batch) => sum + batch.reduce((all, ids) => all + ids.length - 1, 0), 0);

/** Every token but the first is a label of the one before it; padding has none. `tokens`: labels of the whole update. */
function feeds(batch: Sequences, { tokens, padId }: { tokens: number; padId: number }): Tensors {
  const width = Math.max(...batch.map((ids) => ids.length)) - 1;
  const count = labelsOf([batch]);
  const at = new BigInt64Array(count);
  const labels = new BigInt64Array(count);
  let next = 0;
  batch.forEach((ids, row) => {
    for (let t = 1; t < ids.length; t++) {
      at[next] = BigInt(row * width + t - 1);
      labels[next++] = BigInt(ids[t]!);
    }
  });
  const inputs = batch.map((ids) => ids.slice(0, -1));
  return {
    ids: int64(padded(inputs, width, padId), width),
    at: tensor("int64", [count], at),
    labels: tensor("int64", [count], labels),
    scale: tensor("float32", [], Float32Array.of(1 / tokens)),
  };
}

/** Padding on the right, which no label looks at and no token attends to. */
const padded = (rows: Sequences, width: number, padId: number): number[][] =>
  rows.map((row) => [...row, ...Array<number>(width - row.length).fill(padId)]);
