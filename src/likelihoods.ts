/**
 * Log-likelihoods of texts after a context: how a decoder is asked to choose among given answers. Context and choice are
 * made tokens as lm-evaluation-harness makes them (EleutherAI, lm_eval/api/model.py, `_encode_pair`): together, white
 * space at the context's end belonging to the choice; what is too long for the model loses its beginning. Left out:
 * keeping the context's keys and values for all its choices.
 */
// N scored tokens
import { ConfigError } from "./errors.ts";
import { resolveModel } from "./hub/index.ts";
import { lossGraph } from "./models/graphs.ts";
import { makeBatch } from "./runtime/batch.ts";
import { calibrationRows } from "./runtime/calibration.ts";
import { byTokens, sliceRows } from "./runtime/batching.ts";
import { openModelFolder } from "./runtime/folder.ts";
import { type NetworkOptions, openNetwork } from "./runtime/network.ts";
import { required } from "./schema.ts";
import { tensor } from "./tensor/tensor.ts";
import { loadTokenizer } from "./tokenizers/files.ts";
import type { Tokenizer } from "./tokenizers/tokenizer.ts";

export interface Likelihoods extends AsyncDisposable {
  /**
   * Natural logarithms of the probabilities of a context's choices, each the sum over its tokens.
   * @throws ConfigError for a choice without text, or one that is longer than the model takes.
   */
  logLikelihoods(contexts: readonly string[], choices: readonly (readonly string[])[]): Promise<number[][]>;
}

interface Sequence {
  readonly ids: readonly number[];
  /** Place of the first token of the choice. */
  readonly first: number;
}

/** @throws ConfigError where the choice has no token, or more than `positions`. */
function encodePair(tokenizer: Tokenizer, context: string, choice: string, positions: number): Sequence {
  const { frame, special } = tokenizer;
  const idsOf = (text: string): number[] => {
    const ids = tokenizer.encodeIds(text);
    return ids.slice(0, ids.length - frame.after.length);
  };
  const start = idsOf(context.trimEnd());
  // The first token needs one before it that it is scored after.
  const before = start.length === 0 ? [special.bos ?? special.eos ?? 0] : [];
  const whole = [...before, ...idsOf(context + choice)];
  const first = before.length + start.length;
  const tokens = whole.length - first;
  if (tokens < 1 || tokens > positions) {
    throw new ConfigError(`choices: expected 1 to ${positions} tokens, got ${tokens}: "${choice.slice(0, 60)}"`);
  }
  const ids = whole.slice(-(positions + 1));
  return { ids, first: ids.length - tokens };
}

/** @throws ConfigError for a model that is no decoder, DataError where the directory has no tokenizer. */
export async function loadLikelihoods(source: string, options: NetworkOptions = {}): Promise<Likelihoods> {
  const folder = await resolveModel(source);
  const { family, config, entries } = await openModelFolder(folder, { as: "language" });
  if (!family.causal) throw new ConfigError(`${folder}: expected a decoder, got ${family.modelType}`);
  const tokenizer = await loadTokenizer(folder);
  // Padding is on the right, where no token of a decoder looks: rows need no mask.
  const graph = lossGraph(family, config, { gathered: true, gradients: false, each: true });
  const scale = tensor("float32", [], Float32Array.of(1));
  const session = await openNetwork(graph, entries, folder, options, () => {
    const { tensors } = makeBatch({ ids: calibrationRows(config, tokenizer) }, config);
    const [at, labels] = [tensor("int64", [1]), tensor("int64", [1])];
    return { ids: tensors.ids, at, labels, scale };
  });

  /** Of each sequence the log-probability of its choice. */
  const score = async (sequences: readonly Sequence[]): Promise<number[]> => {
    const rows = sequences.map(({ ids }) => ids.slice(0, -1));
    const { tensors, tokens } = makeBatch({ ids: rows }, config);
    // The label of a token is scored one token before it.
    const places = sequences.map(({ ids, first }) => Array.from(ids.slice(first), (_, i) => first - 1 + i));
    const at_N = places.flatMap((own, row) => own.map((place) => row * tokens + place));
    const labels_N = sequences.flatMap(({ ids, first }) => ids.slice(first));
    const { losses } = await session.run({
      ids: tensors.ids,
      at: tensor("int64", [at_N.length], BigInt64Array.from(at_N, BigInt)),
      labels: tensor("int64", [labels_N.length], BigInt64Array.from(labels_N, BigInt)),
      scale,
    });
    const data = losses!.data as Float32Array;
    let next = 0;
    return places.map((own) => own.reduce((sum) => sum - data[next++]!, 0));
  };

  return {
    async logLikelihoods(contexts, choices) {
      required("logLikelihoods: contexts", contexts, "list of texts");
      required("logLikelihoods: choices", choices, "list");
      choices.forEach((own, i) => required(`logLikelihoods: choices[${i}]`, own, "list of texts"));
      if (contexts.length !== choices.length) {
        throw new ConfigError(`logLikelihoods: choices: expected ${contexts.length} lists, got ${choices.length}`);
      }
      const found = choices.map((own): number[] => Array.from({ length: own.length }));
      const pairs = choices.flatMap((own, i) => own.map((choice, k) => ({ i, k, choice })));
      const sequences = pairs.map(({ i, choice }) =>
        encodePair(tokenizer, contexts[i]!, choice, config.max_position_embeddings),
      );
      const rows = sequences.map(({ ids }) => ids);
      for (const batch of byTokens(rows, 32)) {
        const scores = await score(sliceRows(sequences, batch));
        batch.forEach((place, row) => {
          const { i, k } = pairs[place]!;
          found[i]![k] = scores[row]!;
        });
      }
      return found;
    },
    [Symbol.asyncDispose]: () => session.dispose(),
  };
}
