/**
 * Log-likelihoods of texts after a context: how a decoder is asked to choose among given answers. Context and choice are
 * made tokens as lm-evaluation-harness makes them (EleutherAI, lm_eval/api/model.py, `_encode_pair`): together, white
 * space at the context's end belonging to the choice; what is too long for the model loses its beginning. A context is
 * computed once, its choices are branches of the same row; so is what several questions begin with.
 */
// B rows, T tokens, R tokens that something follows, N scored tokens
import { ConfigError } from "./errors.ts";
import { resolveModel } from "./hub/index.ts";
import { branchGraph } from "./models/graphs.ts";
import { int64 } from "./runtime/batch.ts";
import { calibrationRows } from "./runtime/calibration.ts";
import { byTokens, sliceRows } from "./runtime/batching.ts";
import { openModelFolder } from "./runtime/folder.ts";
import { type NetworkOptions, openNetwork } from "./runtime/network.ts";
import type { Tensors } from "./runtime/session.ts";
import { required } from "./schema.ts";
import { type Tensor, tensor } from "./tensor/tensor.ts";
import { loadTokenizer } from "./tokenizers/files.ts";
import { commonLength } from "./tokenizers/ids.ts";
import type { Tokenizer } from "./tokenizers/tokenizer.ts";

export interface LikelihoodOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called with how many contexts, about, have been computed. */
  readonly onDone?: ((contexts: number) => void) | undefined;
}

export interface Likelihoods extends AsyncDisposable {
  /**
   * Natural logarithms of the probabilities of a context's choices, each the sum over its tokens.
   * @throws ConfigError for a choice without text, or one that is longer than the model takes; the signal's reason.
   */
  logLikelihoods(
    contexts: readonly string[],
    choices: readonly (readonly string[])[],
    options?: LikelihoodOptions,
  ): Promise<number[][]>;
}

/** A token that is scored: after which token of its branch (-1: the context's last), and where the score goes. */
interface Scored {
  readonly after: number;
  readonly id: number;
  readonly question: number;
  readonly choice: number;
}

/** Tokens that go on from a context: a choice, or a question that begins as others do. */
interface Branch {
  readonly ids: readonly number[];
  readonly scored: readonly Scored[];
}

/** A context with what goes on from it. */
interface Row {
  readonly context: readonly number[];
  readonly branches: readonly Branch[];
  /** Tokens: those of the context and of the branches. */
  readonly length: number;
}

/** Tokens of a row at most, where it has several branches: each token is compared with each. */
const mostTokens = 1024;

/** A context and a choice. */
interface Pair {
  readonly context: readonly number[];
  readonly ids: readonly number[];
}
/** A context's choices with it as tokens. @throws ConfigError where one has no token, or more than `positions`. */
function encodePairs(tokenizer: Tokenizer, context: string, choices: readonly string[], positions: number): Pair[] {
  const { frame, special } = tokenizer;
  const idsOf = (text: string): number[] => {
    const ids = tokenizer.encodeIds(text);
    return ids.slice(0, ids.length - frame.after.length);
  };
  const start = idsOf(context.trimEnd());
  // The first token needs one before it that it is scored after.
  const before = start.length === 0 ? [special.bos ?? special.eos ?? 0] : [];
  const first = before.length + start.length;
  return choices.map((choice) => {
    const whole = [...before, ...idsOf(context + choice)];
    const tokens = whole.length - first;
    if (tokens < 1 || tokens > positions) {
      throw new ConfigError(`choices: expected 1 to ${positions} tokens, got ${tokens}: "${choice.slice(0, 60)}"`);
    }
    return { context: whole.slice(-(positions + 1), first), ids: whole.slice(first) };
  });
}

const isSame = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((id, i) => id === b[i]);

/** Pairs of one question as rows: those of the same context share one. */
function rowsOf(pairs: readonly Pair[], question: number): Row[] {
  const rows: { context: readonly number[]; branches: Branch[]; length: number }[] = [];
  for (const [choice, { context, ids }] of pairs.entries()) {
    const more = ids.length - 1;
    const fits = rows.find((row) => row.length + more <= mostTokens && isSame(row.context, context));
    const row = fits ?? { context, branches: [], length: context.length };
    if (fits === undefined) rows.push(row);
    // Nothing follows the last token, so that it is none of the input.
    const scored = ids.map((id, i) => ({ after: i - 1, id, question, choice }));
    row.branches.push({ ids: ids.slice(0, -1), scored });
    row.length += more;
  }
  return rows;
}

/**
 * Rows of questions that begin alike, with the same examples before each, as one row: the beginning is its context, each
 * question is a branch. Only where choices are single tokens: a branch has none of its own.
 */
function withSharedBeginnings(rows: readonly Row[]): Row[] {
  const groups: { members: Row[]; shared: number }[] = [];
  const isPlain = (row: Row): boolean => row.length === row.context.length;
  /** What a group would share with one more; undefined where it would not be worth it. */
  const sharedWith = ({ members, shared }: (typeof groups)[number], row: Row): number | undefined => {
    const first = members[0]!;
    // A question keeps at least its last token, which its choices follow.
    const less = Math.min(shared, row.context.length - 1, commonLength(first.context, row.context));
    const isAlike = [first, row].every((one) => isPlain(one) && less >= one.length / 2);
    const length = [...members, row].reduce((sum, one) => sum + one.length - less, less);
    return isAlike && length <= mostTokens ? less : undefined;
  };
  for (const row of rows) {
    const group = groups.at(-1);
    const shared = group && sharedWith(group, row);
    if (shared === undefined) groups.push({ members: [row], shared: row.context.length - 1 });
    else {
      group!.members.push(row);
      group!.shared = shared;
    }
  }
  return groups.map(({ members, shared }) => {
    if (members.length === 1) return members[0]!;
    const branches = members.map(({ context, branches: choices }): Branch => {
      const ids = context.slice(shared);
      return { ids, scored: choices.flatMap(({ scored }) => scored.map((one) => ({ ...one, after: ids.length - 1 }))) };
    });
    const length = branches.reduce((sum, { ids }) => sum + ids.length, shared);
    return { context: members[0]!.context.slice(0, shared), branches, length };
  });
}

const vector = (numbers: readonly number[]): Tensor<"int64"> =>
  tensor("int64", [numbers.length], BigInt64Array.from(numbers, BigInt));

/** Inputs of the graph; its scores come branch by branch, token by token. */
function inputsOf(rows: readonly Row[], vocabSize: number): Tensors {
  const width = Math.max(...rows.map(({ length }) => length));
  const [ids, positions, branches]: [number[][], number[][], number[][]] = [[], [], []];
  const [last, after, picks]: [number[], number[], number[]] = [[], [], []];
  for (const [at, row] of rows.entries()) {
    const { length } = row.context;
    const own = { ids: [...row.context], positions: [...row.context.keys()], branches: row.context.map(() => 0) };
    const placeOf = (token: number): number => last.push(at * width + token) - 1;
    const end = row.branches.some(({ scored }) => scored.some(({ after: token }) => token < 0))
      ? placeOf(length - 1)
      : -1;
    for (const [k, branch] of row.branches.entries()) {
      const start = own.ids.length;
      const places = new Map([[-1, end]]);
      for (const { after: token, id } of branch.scored) {
        if (!places.has(token)) places.set(token, placeOf(start + token));
        const place = places.get(token)!;
        after.push(place);
        picks.push(place * vocabSize + id);
      }
      for (const [i, id] of branch.ids.entries()) {
        own.ids.push(id);
        own.positions.push(length + i);
        own.branches.push(k + 1);
      }
    }
    // Padding is a branch of its own, which no other token looks at.
    own.branches.push(...Array<number>(width - own.ids.length).fill(-1));
    ids.push(own.ids);
    positions.push(own.positions);
    branches.push(own.branches);
  }
  return {
    ids: int64(ids, width),
    positions: int64(positions, width),
    branches: int64(branches, width),
    last: vector(last),
    after: vector(after),
    picks: vector(picks),
  };
}

/** @throws ConfigError for a model that is no decoder, DataError where the directory has no tokenizer. */
export async function loadLikelihoods(source: string, options: NetworkOptions = {}): Promise<Likelihoods> {
  const folder = await resolveModel(source);
  const { family, config, entries } = await openModelFolder(folder, { as: "language" });
  if (!family.causal) throw new ConfigError(`${folder}: expected a decoder, got ${family.modelType}`);
  const { vocab_size: vocabSize, max_position_embeddings: positions } = config;
  const tokenizer = await loadTokenizer(folder);
  const session = await openNetwork(branchGraph(family, config), entries, folder, options, () => {
    const alone = (ids: readonly number[]): Pair => ({ context: ids.slice(0, -1), ids: ids.slice(-1) });
    return inputsOf(
      calibrationRows(config, tokenizer).flatMap((ids, i) => rowsOf([alone(ids)], i)),
      vocabSize,
    );
  });

  return {
    async logLikelihoods(contexts, choices, { signal, onDone } = {}) {
      required("logLikelihoods: contexts", contexts, "list of texts");
      required("logLikelihoods: choices", choices, "list");
      choices.forEach((own, i) => required(`logLikelihoods: choices[${i}]`, own, "list of texts"));
      if (contexts.length !== choices.length) {
        throw new ConfigError(`logLikelihoods: choices: expected ${contexts.length} lists, got ${choices.length}`);
      }
      const found = choices.map((own) => own.map(() => 0));
      const rows = withSharedBeginnings(
        choices.flatMap((own, i) => rowsOf(encodePairs(tokenizer, contexts[i]!, own, positions), i)),
      );
      let done = 0;
      for (const batch of byTokens(rows, 32)) {
        signal?.throwIfAborted();
        const some = sliceRows(rows, batch);
        const { scores } = await session.run(inputsOf(some, vocabSize));
        let next = 0;
        for (const { question, choice } of some.flatMap(({ branches }) => branches.flatMap(({ scored }) => scored))) {
          found[question]![choice]! += Number(scores!.data[next++]);
        }
        done += batch.length;
        // A context's choices may be in several rows.
        onDone?.(Math.floor((contexts.length * done) / rows.length));
      }
      return found;
    },
    [Symbol.asyncDispose]: () => session.dispose(),
  };
}
