/**
 * Cross-encoders: a text pair to a score, by a CrossEncoder directory of Sentence Transformers (a Hugging Face
 * directory with a sequence-classification head). Raw logits are always given, and the activation is computed in double
 * precision: in single precision scores of good pairs saturate at 1 and tie.
 */
import { join } from "node:path";
import * as z from "zod";
import { writeFileAtomically } from "../io/files.ts";
import { readSettings } from "../io/json.ts";
import { parseJsonObject } from "../tokenizers/json.ts";
import { sourcesOf, writeSafetensors } from "../checkpoints/safetensors.ts";
import { ConfigError } from "../errors.ts";
import { resolveModel } from "../hub/index.ts";
import { configText, headOf, type LabelConfig, labelNames, type ModelConfig } from "../models/index.ts";
import { scoringGraph } from "../models/graphs.ts";
import { makeBatch } from "../runtime/batch.ts";
import { type ModelFolder, openModelFolder } from "../runtime/folder.ts";
import { type NetworkOptions, openNetwork } from "../runtime/network.ts";
import type { Session } from "../runtime/session.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type OnCut, tellCut } from "../tokenizers/cut.ts";
import type { PairTokenizer } from "../tokenizers/pairs.ts";
import type { Tokenizer } from "../tokenizers/tokenizer.ts";
import { byTokens, sliceRows } from "../runtime/batching.ts";
import { sampleInputs } from "./sample.ts";
import { tokenLimit } from "../runtime/token-limit.ts";
import { loadPairTokenizer } from "./tokenizer.ts";

/** By torch's class paths. */
const activations = {
  "torch.nn.modules.linear.Identity": (x: number): number => x,
  "torch.nn.modules.activation.Sigmoid": (x: number): number => 1 / (1 + Math.exp(-x)),
  "torch.nn.modules.activation.Tanh": Math.tanh,
} as const;
export type ScoreActivation = keyof typeof activations;

export interface PairScores {
  /** What the network gives: `labels` numbers a pair. */
  readonly logits: Float32Array;
  /** The activation of each. */
  readonly scores: Float64Array;
  readonly labels: number;
}

export interface CrossEncoder extends AsyncDisposable {
  readonly model: ModelFolder;
  readonly activation: ScoreActivation;
  /** Names of what a pair gets a number for. */
  readonly labels: readonly string[];
  /** Whether the labels exclude one another. */
  readonly exclusive: boolean;
  /** Tokens that a pair is cut to, the longer text first. */
  readonly maxTokens: number;
  readonly tokenizer: PairTokenizer;
  /** Scores in the order of the pairs. */
  score(
    pairs: readonly (readonly [string, string])[],
    options?: {
      readonly batchSize?: number;
      readonly activation?: ScoreActivation;
      /** Told which pairs were longer than the model takes. */
      readonly onCut?: OnCut | undefined;
    },
  ): Promise<PairScores>;
  dispose(): Promise<void>;
}

/**
 * Opens a CrossEncoder directory.
 * @throws ConfigError where the head, a module or the activation is not understood; CheckpointError without weights.
 */
export async function loadCrossEncoder(source: string, options: NetworkOptions = {}): Promise<CrossEncoder> {
  const folder = await resolveModel(source);
  await checkModules(folder);
  const model = await openModelFolder(folder);
  const kind = headOf(model.family, model.config)?.labels(model.config);
  if (kind === undefined || kind.of === "tokens") {
    throw new ConfigError(
      `${folder}/config.json: architectures: expected a sequence-classification model, got ${model.config.architectures?.[0]}`,
    );
  }
  const activation = await activationOf(folder, kind.count);
  const tokenizer = await loadPairTokenizer(folder);
  const maxTokens = await tokenLimit(folder, model.config);
  const graph = scoringGraph(model.family, model.config);
  const session = await openNetwork(graph, model.entries, folder, options, () =>
    sampleInputs(tokenizer, model.config, "pairs"),
  );
  const dispose = (): Promise<void> => session.dispose();
  return {
    model,
    activation,
    labels: labelNames(model.config as ModelConfig & LabelConfig, kind.count),
    exclusive: kind.count > 1 && kind.of === "rows",
    maxTokens,
    tokenizer,
    async score(pairs, { batchSize = 32, activation: wanted = activation, onCut } = {}): Promise<PairScores> {
      const logits = await logitsOf({ session, tokenizer, maxTokens, config: model.config }, pairs, {
        batchSize,
        labels: kind.count,
        onCut,
      });
      return { logits, scores: Float64Array.from(logits, activations[wanted]), labels: kind.count };
    },
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
}

interface Parts {
  readonly session: Session;
  readonly tokenizer: PairTokenizer;
  readonly maxTokens: number;
  readonly config: ModelConfig;
}

async function logitsOf(
  { session, tokenizer, maxTokens, config }: Parts,
  pairs: readonly (readonly [string, string])[],
  { batchSize, labels, onCut }: { batchSize: number; labels: number; onCut: OnCut | undefined },
): Promise<Float32Array> {
  const encoded = tokenizer.encodeBatch(pairs, { maxLength: maxTokens, padding: "none" });
  tellCut(tokenizer, pairs, { rows: encoded.ids, limit: maxTokens }, onCut);
  const results = new Float32Array(pairs.length * labels);
  for (const places of byTokens(encoded.ids, batchSize)) {
    const rows = { ids: sliceRows(encoded.ids, places), types: sliceRows(encoded.typeIds, places) };
    const { tensors } = makeBatch(rows, config);
    const { logits } = await session.run(tensors);
    const data = logits!.data as Float32Array;
    places.forEach((place, i) => results.set(data.subarray(i * labels, (i + 1) * labels), place * labels));
  }
  return results;
}

const modulesSchema = z.tuple([z.looseObject({ type: z.string() })], { error: "expected a Transformer alone" });

/** From 5.4 there is a modules.json: with the Transformer alone it says nothing more. */
async function checkModules(folder: string): Promise<void> {
  const path = join(folder, "modules.json");
  const modules = await readSettings(path, modulesSchema);
  if (modules === undefined) return;
  const [{ type }] = modules;
  if (type.startsWith("sentence_transformers.") && type.endsWith(".Transformer")) return;
  throw new ConfigError(`${path}: type: expected a Transformer of sentence_transformers, got ${type}`);
}

const activationPath = z.enum(Object.keys(activations) as [ScoreActivation]).nullish();
const settingsSchema = z.looseObject({ activation_fn: activationPath });
const configSchema = z.looseObject({
  sentence_transformers: settingsSchema.nullish(),
  sbert_ce_default_activation_function: activationPath,
});

/** The order in which Sentence Transformers looks; without any, a sigmoid for one label, else nothing. */
async function activationOf(folder: string, labels: number): Promise<ScoreActivation> {
  const settings = await readSettings(join(folder, "config_sentence_transformers.json"), settingsSchema, {});
  const config = await readSettings(join(folder, "config.json"), configSchema, {});
  return (
    settings.activation_fn ??
    config.sentence_transformers?.activation_fn ??
    config.sbert_ce_default_activation_function ??
    (labels === 1 ? "torch.nn.modules.activation.Sigmoid" : "torch.nn.modules.linear.Identity")
  );
}

/** Writes a CrossEncoder directory as Sentence Transformers up to 5.3 does. */
export async function saveCrossEncoder(
  folder: string,
  model: {
    readonly config: ModelConfig;
    readonly tokenizer: Tokenizer;
    readonly parameters: ReadonlyMap<string, Tensor>;
    readonly activation: ScoreActivation;
    /** Tokens that a pair is cut to. Default: as the tokenizer's files say. */
    readonly maxTokens?: number;
  },
): Promise<void> {
  const { config, tokenizer, parameters, activation, maxTokens } = model;
  const json = { ...config, sentence_transformers: { activation_fn: activation, version: "5.3.0" } };
  const files = new Map([...tokenizer.files(), ["config.json", configText(json)]]);
  if (maxTokens !== undefined) {
    const name = "tokenizer_config.json";
    const cut = { ...parseJsonObject(name, files.get(name) ?? "{}"), model_max_length: maxTokens };
    files.set(name, `${JSON.stringify(cut, null, 2)}\n`);
  }
  for (const [name, contents] of files) await writeFileAtomically(join(folder, name), contents);
  await writeSafetensors(join(folder, "model.safetensors"), sourcesOf(parameters));
}
