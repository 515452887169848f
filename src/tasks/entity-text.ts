/**
 * Text from the tokens of an IOB file, which do not say where there was white space: marks are put back to the words
 * they belong to, as a guess, so that a model tuned on such files meets text as people write it. Where each token
 * stands is known, so that a wrong guess costs nothing but looks.
 */
import type { Range } from "./places.ts";

const closing = /^(?:[,.;:?!%)\]}]+|'s|n't)$/;
const opening = /^[([{]+$/;
const joining = /^[-/]$/;
const wordEnd = /[\p{L}\p{N})\]]$/u;
const wordStart = /^[\p{L}\p{N}([]/u;
const digits = /^\d+$/;

/** Tokens as text, and the range of each. */
export function joinTokens(tokens: readonly string[]): { text: string; places: Range[] } {
  let text = "";
  const places: Range[] = [];
  tokens.forEach((token, i) => {
    if (i > 0 && !isGlued(tokens, i)) text += " ";
    places.push([text.length, text.length + token.length]);
    text += token;
  });
  return { text, places };
}

/** No space between token i - 1 and token i. */
function isGlued(tokens: readonly string[], i: number): boolean {
  const [before = "", left, right, after = ""] = [tokens[i - 2], tokens[i - 1]!, tokens[i]!, tokens[i + 1]];
  if (closing.test(right) || opening.test(left)) return true;
  if (joining.test(right)) return wordEnd.test(left) && wordStart.test(after);
  if (joining.test(left)) return wordEnd.test(before) && wordStart.test(right);
  return (left === "." || left === ",") && digits.test(before) && digits.test(right);
}
