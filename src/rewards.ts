/** Reward models: how much people would like an answer, as a number, from a decoder with a head of one (train reward). */
import { ConfigError } from "./errors.ts";
import { resolveModel } from "./hub/index.ts";
import { scoringGraph } from "./models/graphs.ts";
import { headOf } from "./models/index.ts";
import { makeBatch } from "./runtime/batch.ts";
import { byTokens, sliceRows } from "./runtime/batching.ts";
import { calibrationRows } from "./runtime/calibration.ts";
import { openModelFolder } from "./runtime/folder.ts";
import { type NetworkOptions, openNetwork } from "./runtime/network.ts";
import { required } from "./schema.ts";
import { loadTokenizer } from "./tokenizers/files.ts";
import { type Completion, openTurns } from "./tokenizers/turns.ts";

export interface RewardModel extends AsyncDisposable {
  /**
   * A number for each prompt with its answer: the larger, the better. Of several answers to one prompt the differences
   * mean something: σ(r₁ − r₂) is how probably the first would be preferred.
   * @throws ConfigError for messages where neither the model nor the options have a template.
   */
  score(exchanges: readonly Completion[]): Promise<number[]>;
}

export interface RewardModelOptions extends NetworkOptions {
  /** Jinja template of conversations. Default: the tokenizer's own. */
  readonly template?: string | undefined;
}

/** Rows at most that are computed together. */
const rowsAtOnce = 32;

/**
 * Opens a sequence classifier of one label. What is longer than the model takes loses its end.
 * @throws ConfigError where the directory holds another model, DataError where it holds no tokenizer.
 */
export async function loadRewardModel(
  source: string,
  { template, ...options }: RewardModelOptions = {},
): Promise<RewardModel> {
  const folder = await resolveModel(source);
  const { family, config, entries } = await openModelFolder(folder);
  const head = headOf(family, config);
  if (head?.kind !== "sequence" || head.labels(config).count !== 1) {
    const got = config.architectures?.[0] ?? "one without a head";
    throw new ConfigError(`${folder}: expected a reward model, ForSequenceClassification of one label, got ${got}`, {
      hint: '"galen train reward" makes one',
    });
  }
  const tokenizer = await loadTokenizer(folder);
  const turns = await openTurns(tokenizer, template === undefined ? {} : { template });
  const session = await openNetwork(
    scoringGraph(family, config),
    entries,
    folder,
    options,
    () => makeBatch({ ids: calibrationRows(config, tokenizer) }, config).tensors,
  );
  return {
    async score(exchanges) {
      required("score: exchanges", exchanges, "list");
      exchanges.forEach((one, i) => required(`score: exchanges[${i}]`, one, "object"));
      const ids = exchanges.map((one) => turns.completion(one).ids.slice(0, config.max_position_embeddings));
      const rewards = exchanges.map(() => 0);
      for (const places of byTokens(ids, rowsAtOnce)) {
        const { logits } = await session.run(makeBatch({ ids: sliceRows(ids, places) }, config).tensors);
        for (const [row, place] of places.entries()) rewards[place] = Number(logits!.data[row]);
      }
      return rewards;
    },
    [Symbol.asyncDispose]: () => session.dispose(),
  };
}
