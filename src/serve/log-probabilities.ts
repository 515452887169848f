/**
 * Log-probabilities as OpenAI writes them: of completions four lists of one length, of chats an object a token. They are the
 * model's own, before temperature and penalties.
 */
import { createPieces } from "../generate/stop.ts";
import type { TokenScores } from "../generate/decoder.ts";
import type { Tokenizer } from "../tokenizers/tokenizer.ts";

interface Likely {
  readonly id: number;
  readonly logprob: number;
}

/** The `count` most likely tokens, best first. */
export function mostLikely({ logits, logSum }: TokenScores, count: number): Likely[] {
  const best: number[] = [];
  if (count === 0) return [];
  for (let id = 0; id < logits.length; id++) {
    const score = logits[id]!;
    if (best.length === count && score <= logits[best.at(-1)!]!) continue;
    let at = best.length;
    while (at > 0 && logits[best[at - 1]!]! < score) at--;
    best.splice(at, 0, id);
    if (best.length > count) best.pop();
  }
  return best.map((id) => ({ id, logprob: logits[id]! - logSum }));
}

/** The text that a token adds to others, or its name in the vocabulary where that is no text. */
export function tokenTexts(tokenizer: Tokenizer): (id: number) => string {
  const pieceOf = createPieces({
    encodeIds: (text) => tokenizer.encodeIds(text),
    decode: (ids) => tokenizer.decode(ids),
  });
  return (id) => {
    const text = pieceOf(id);
    return text === "" || text.includes("\uFFFD") ? (tokenizer.tokenOf(id) ?? text) : text;
  };
}

/** One token with its likely others. */
export interface Scored {
  readonly id: number;
  /** null: the first of all has nothing before it. */
  readonly logprob: number | null;
  readonly top: readonly Likely[];
}

export function scored(id: number, scores: TokenScores, count: number): Scored {
  const logprob = scores.logits[id]! - scores.logSum;
  const top = mostLikely(scores, count);
  // The token itself is among them, as OpenAI has it.
  return { id, logprob, top: top.some((one) => one.id === id) ? top : [...top, { id, logprob }] };
}

export interface CompletionLogprobs {
  tokens: string[];
  token_logprobs: (number | null)[];
  top_logprobs: (Record<string, number> | null)[];
  text_offset: number[];
}

/** @param offset of the first token in the choice's text. */
export function completionLogprobs(
  tokens: readonly Scored[],
  textOf: (id: number) => string,
  offset: number,
): CompletionLogprobs {
  const found: CompletionLogprobs = { tokens: [], token_logprobs: [], top_logprobs: [], text_offset: [] };
  let at = offset;
  for (const { id, logprob, top } of tokens) {
    const text = textOf(id);
    found.tokens.push(text);
    found.token_logprobs.push(logprob);
    found.top_logprobs.push(logprob === null ? null : byText(top, textOf));
    found.text_offset.push(at);
    at += text.length;
  }
  return found;
}

/** Of two tokens with one text, the likelier. */
function byText(top: readonly Likely[], textOf: (id: number) => string): Record<string, number> {
  const found = new Map<string, number>();
  for (const { id, logprob } of top) {
    const text = textOf(id);
    found.set(text, Math.max(logprob, found.get(text) ?? -Infinity));
  }
  return Object.fromEntries(found);
}

interface ChatToken {
  readonly token: string;
  readonly logprob: number;
  readonly bytes: readonly number[];
}

export function chatLogprob(
  { id, logprob, top }: Scored,
  textOf: (id: number) => string,
  count: number,
): ChatToken & { readonly top_logprobs: readonly ChatToken[] } {
  const tokenOf = (one: number, value: number): ChatToken => {
    const token = textOf(one);
    return { token, logprob: value, bytes: [...Buffer.from(token)] };
  };
  return {
    ...tokenOf(id, logprob!),
    top_logprobs: top.slice(0, count).map((one) => tokenOf(one.id, one.logprob)),
  };
}
