/**
 * Any model as something that a benchmark can be asked of, by what it is: a server's, one tuned with a soft prompt, a
 * decoder, a classifier, a tagger, or a scorer of pairs (embeddings, ColBERT, a reranker).
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { ConfigError } from "../errors.ts";
import { resolveModel } from "../hub/index.ts";
import { loadClassifier, loadTagger } from "../labellers.ts";
import type { LoadOptions } from "../model.ts";
import { headOf } from "../models/index.ts";
import { openScorer, type Scorer, scoringKindOf } from "../retrieval/scorers.ts";
import { openModelFolder } from "../runtime/folder.ts";
import { required } from "../schema.ts";
import { taskFileName } from "../soft-prompts/metadata.ts";
import { openTuned, type PredictOptions } from "../soft-prompts/predict.ts";
import { type Abilities, askTuned } from "./abilities.ts";
import { askDecoder, type AskingOptions } from "./decoders.ts";
import { isServer } from "./openai-server.ts";
import { askRemote } from "./remote.ts";

export interface OpenModelOptions extends LoadOptions {
  /** Of decoders and servers. */
  readonly ask?: AskingOptions | undefined;
  /** Of models tuned with a soft prompt: names are copied from the text, and other changes to decoding. */
  readonly predict?: Omit<PredictOptions, "signal" | "onProgress"> | undefined;
}

export interface OpenedModel extends AsyncDisposable {
  readonly kind: "server" | "tuned" | "decoder" | "classifier" | "tagger" | Scorer["kind"];
  readonly abilities: Abilities;
  /** The one benchmark that a tuned model is for. */
  readonly task?: string;
  /** Of models that score texts against texts. */
  readonly scorer?: Scorer;
}

/**
 * @param source a folder, a file, a name of the hub, a server's address (`http://localhost:8000/v1#model`), or "bm25".
 * @throws ConfigError for a model that no benchmark can be asked of.
 */
export async function openForBenchmarks(source: string, options: OpenModelOptions = {}): Promise<OpenedModel> {
  required("openForBenchmarks: model", source, "text");
  const { ask = {}, predict = {}, ...load } = options;
  if (isServer(source)) {
    return { kind: "server", abilities: await askRemote(source, ask), async [Symbol.asyncDispose]() {} };
  }
  const folder = await resolveModel(source);
  if (folder === "bm25") return scoring(await openScorer(folder, load));
  if (existsSync(join(folder, taskFileName))) {
    const tuned = await openTuned(folder, load);
    return opened("tuned", askTuned(tuned, predict), tuned, { task: tuned.task.name });
  }
  const kind = await scoringKindOf(folder);
  if (kind === "embeddings" || kind === "colbert") return scoring(await openScorer(folder, load));
  const { family, config } = await openModelFolder(folder);
  const head = headOf(family, config);
  if (family.causal && head?.kind === "language") {
    const decoder = await askDecoder(folder, { ...load, ...ask });
    return opened("decoder", decoder, decoder);
  }
  if (head?.kind === "token") {
    const tagger = await loadTagger(folder, load);
    return opened("tagger", tagger, tagger);
  }
  if (head?.kind === "sequence") {
    if (head.labels(config).count === 1) return scoring(await openScorer(folder, load));
    const classifier = await loadClassifier(folder, load);
    return opened("classifier", classifier, classifier);
  }
  throw new ConfigError(
    `${folder}: expected a decoder, or a model with a head, got ${config.architectures?.[0] ?? "neither"}`,
    { hint: '"galen train classifier" and "galen train tagger" give it one; --tune does so for each benchmark' },
  );
}

const scoring = (scorer: Scorer): OpenedModel => opened(scorer.kind, scorer, scorer, { scorer });

function opened(
  kind: OpenedModel["kind"],
  abilities: Abilities,
  model: AsyncDisposable,
  more: Pick<OpenedModel, "task" | "scorer"> = {},
): OpenedModel {
  return { kind, abilities, ...more, [Symbol.asyncDispose]: () => Promise.resolve(model[Symbol.asyncDispose]()) };
}
