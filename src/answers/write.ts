/**
 * A decoder as a writer of answers, and a cross-encoder as a checker of what it writes. The writer is given the question
 * and one piece of evidence, never an identifier; of what it gives, the first sentence is taken.
 */
import { probabilitiesOf } from "../metrics/classification.ts";
import { ConfigError } from "../errors.ts";
import { splitSentences } from "../corpus/sentences.ts";
import { loadModel, type LoadOptions } from "../model.ts";
import { loadCrossEncoder } from "../retrieval/cross-encoder.ts";
import type { NetworkOptions } from "../runtime/network.ts";
import { chatIds, chatTemplates } from "../tokenizers/chat.ts";
import { loadTokenizer } from "../tokenizers/files.ts";
import type { Tokenizer } from "../tokenizers/tokenizer.ts";
import type { Checker } from "./check.ts";

/** Writes one sentence that answers a question by a passage. */
export interface Writer {
  write(question: string, passage: string, signal?: AbortSignal): Promise<string>;
}

const instructions =
  "Answer the question in one short sentence. Use only what the passage says, in its own words, with its numbers and names.";
const mostTokens = 96;

/** Continues a prompt by greedy search, with at most so many tokens; gives the new ones. */
type Continue = (prompt: readonly number[], most: number, signal?: AbortSignal) => Promise<readonly number[]>;

/**
 * A writer by a decoder's chat template where it has one, else by continuations of the passage.
 * @param positions that the decoder has.
 */
export function writerOf(tokenizer: Tokenizer, positions: number, continueFrom: Continue): Writer {
  const isChat = chatTemplates(tokenizer).size > 0;
  const promptOf = (question: string, passage: string): Promise<number[]> | number[] => {
    if (!isChat) return tokenizer.encodeIds(`${passage}\n${question}\n`);
    const content = `Passage: ${passage}\n\nQuestion: ${question}`;
    const messages = [
      { role: "system", content: instructions },
      { role: "user", content },
    ];
    return chatIds(tokenizer, messages, { contentIsText: tokenizer.literal !== undefined });
  };
  return {
    async write(question, passage, signal) {
      const prompt = await promptOf(question, passage);
      // A passage too long for the model is quoted; the rest of the answer need not end for it.
      if (prompt.length + mostTokens > positions) return "";
      const ids = await continueFrom(prompt, mostTokens, signal);
      return firstSentence(tokenizer.decode(ids, { skipSpecialTokens: true }));
    },
  };
}

/**
 * Opens a decoder as a writer.
 * @throws ConfigError where the model is no decoder.
 */
export async function openWriter(source: string, options: LoadOptions = {}): Promise<Writer & AsyncDisposable> {
  const model = await loadModel(source, options);
  const { max_position_embeddings: positions } = model.config;
  const writer = writerOf(await loadTokenizer(source), positions, async (prompt, maxNewTokens, signal) => {
    const { sequences } = await model.generate({ ids: [prompt], maxNewTokens, repeatGuard: true, signal });
    return sequences[0]!.slice(prompt.length);
  });
  return { ...writer, [Symbol.asyncDispose]: () => model.dispose() };
}

function firstSentence(text: string): string {
  const trimmed = text.replace(/\s+/g, " ").trim();
  const [range] = splitSentences(trimmed);
  return range === undefined ? "" : trimmed.slice(...range);
}

const entails = /^(?:entail\w*|support\w*|yes|true|1)$/i;

/**
 * Opens a cross-encoder as a checker: of a passage and a statement. One number is taken for the log-odds of support; of
 * several classes, the one called entailment, supported, yes or true counts.
 * @throws ConfigError where no class is called so.
 */
export async function openChecker(source: string, options: NetworkOptions = {}): Promise<Checker & AsyncDisposable> {
  const encoder = await loadCrossEncoder(source, options);
  const { labels } = encoder;
  const place = labels.length === 1 ? 0 : labels.findIndex((label) => entails.test(label));
  if (place === -1) {
    await encoder.dispose();
    throw new ConfigError(`${source}: expected a class called "entailment", got ${labels.join(", ")}`, {
      hint: '"galen train reranker" makes a checker of lists {"query": passage, "documents": [what it says, what not]}',
    });
  }
  return {
    async supports(passage, statements) {
      const { logits } = await encoder.score(statements.map((one) => [passage, one] as const));
      return statements.map((_, i) => {
        const own = Array.from(logits.subarray(i * labels.length, (i + 1) * labels.length));
        if (own.length === 1) return 1 / (1 + Math.exp(-own[0]!));
        return probabilitiesOf(own)[place]!;
      });
    },
    [Symbol.asyncDispose]: () => encoder.dispose(),
  };
}
