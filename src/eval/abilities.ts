/**
 * What a model can be asked. Classifiers, taggers, scorers of pairs (`retrieval/scorers.ts`) and decoders that choose
 * (`likelihoods.ts`) are models in this sense as they are; a model tuned with a soft prompt becomes one by `askTuned`.
 */
import { decodingOf, predictSources, type PredictOptions, type TunedModel } from "../soft-prompts/predict.ts";
import { required } from "../schema.ts";
import type { AnswerForm, Prompt, Writing } from "../tasks/benchmark.ts";

export interface AbilityOptions {
  /** How long answers are, and where they end, for models that were not tuned to end them. */
  readonly writing?: Writing | undefined;
  /** Of answers that are sentences about names: their form, and of each prompt the text that has the names. */
  readonly naming?: { readonly form: AnswerForm; readonly texts: readonly string[] } | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called with how many of the inputs have been answered. */
  readonly onDone?: ((inputs: number) => void) | undefined;
}

export interface Written {
  readonly text: string;
  /** Where several were drawn: all of them, `text` the first. The commonest answer counts. */
  readonly texts?: readonly string[];
}

/** Each ability is there or not. Answers are JSON values: they are kept in files. */
export interface Abilities {
  /** What answers depend on besides the weights, such as the decoding; part of the protocol. */
  readonly protocol?: Readonly<Record<string, unknown>>;
  /** What they depend on besides the directory's files, such as the format of the weights. */
  readonly identity?: Readonly<Record<string, unknown>>;
  /** The way that is taken where a benchmark can be asked in several. Default: writing. */
  readonly prefers?: "likelihood";
  /** Why it cannot do what others of its kind can, for whoever asks. */
  readonly unable?: string;
  /** It is asked in conversations: prompts may be turns. */
  readonly converses?: boolean;
  /** Writes an answer to each source, or several. */
  generate?(sources: readonly Prompt[], options: AbilityOptions): Promise<readonly Written[]>;
  /** Log-probabilities of each context's choices. */
  logLikelihoods?(
    contexts: readonly Prompt[],
    choices: readonly (readonly string[])[],
    options?: AbilityOptions,
  ): Promise<number[][]>;
  /** Classes of each text. */
  classify?(
    texts: readonly string[],
  ): Promise<readonly { readonly label: string; readonly labels: readonly string[] }[]>;
  /** A tag for every word. */
  tag?(sentences: readonly (readonly string[])[]): Promise<string[][]>;
  /** How well two texts go together. */
  pairs?(pairs: readonly (readonly [string, string])[]): Promise<ArrayLike<number>>;
}

/** A tuned model writes; options change how it decodes. */
export function askTuned(tuned: TunedModel, options: Omit<PredictOptions, "signal" | "onProgress"> = {}): Abilities {
  required("askTuned: tuned", tuned, "object");
  return {
    protocol: { decoding: decodingOf(tuned, options), maxNewTokens: options.maxNewTokens ?? null },
    identity: tuned.identity,
    generate: (sources, { signal, onDone }) =>
      // Without `converses` they are texts.
      predictSources(tuned, sources as readonly string[], { ...options, signal, onProgress: onDone }),
  };
}
