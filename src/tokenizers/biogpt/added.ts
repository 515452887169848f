/**
 * Added tokens in a text as transformers' tokenizers in Python find them (tokenization_python.py, `tokenize`): leftmost,
 * then longest; then the white space beside them goes, or a token inside a word goes back to the text beside it. Rust's
 * rules, which BERT has, differ: see `added-tokens.ts`.
 */
import { type AddedToken, type Match, matcherOf } from "../added-tokens.ts";
import { basicClasses, WHITESPACE } from "../moses/classes.ts";

/** A part of a text: an added token, or text for the tokenizer (`token` undefined). */
export interface TextPart {
  readonly text: string;
  readonly token: AddedToken | undefined;
  /** Where a character of the part stands in the whole text. */
  place(at: number): number;
}

type Part = Omit<TextPart, "token">;

/** Splits texts at the added tokens. */
export function createSplitter(tokens: readonly AddedToken[]): (text: string) => TextPart[] {
  const byContent = new Map(tokens.map((token) => [token.content, token]));
  const matchesIn = matcherOf([...byContent.keys()]);
  return (text) => {
    const parts = applyFlags(cut(text, matchesIn(text)), byContent);
    return parts.filter((part) => part.text !== "").map((part) => ({ ...part, token: byContent.get(part.text) }));
  };
}

function partOf(text: string, start: number): Part {
  return { text, place: (at) => start + at };
}

function cut(text: string, matches: readonly Match[]): Part[] {
  const parts: Part[] = [];
  let done = 0;
  for (const { content, index } of matches) {
    if (index > done) parts.push(partOf(text.slice(done, index), done));
    parts.push(partOf(content, index));
    done = index + content.length;
  }
  if (done < text.length) parts.push(partOf(done === 0 ? text : text.slice(done), done));
  return parts;
}

/** In the reference's order, which shows where several tokens stand side by side. */
function applyFlags(parts: Part[], byContent: ReadonlyMap<string, AddedToken>): Part[] {
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]!;
    const token = byContent.get(part.text);
    if (token === undefined) continue;
    const [left, right] = [parts[i - 1], parts[i + 1]];
    if (token.rstrip && right !== undefined) parts[i + 1] = stripStart(right);
    if (token.lstrip && left !== undefined) parts[i - 1] = stripEnd(left);
    if (!token.singleWord) continue;
    // The blank alone separates words, as it stood before anything was stripped.
    if (left !== undefined && left.text !== "" && !left.text.endsWith(" ")) {
      parts[i - 1] = joined(parts[i - 1]!, part);
      parts[i] = partOf("", 0);
    } else if (right !== undefined && right.text !== "" && !right.text.startsWith(" ")) {
      parts[i + 1] = joined(part, parts[i + 1]!);
      parts[i] = partOf("", 0);
    }
  }
  return parts;
}

function joined(first: Part, second: Part): Part {
  const border = first.text.length;
  return {
    text: first.text + second.text,
    place: (at) => (at < border ? first.place(at) : second.place(at - border)),
  };
}

function isSpace(text: string, at: number): boolean {
  return (basicClasses[text.charCodeAt(at)]! & WHITESPACE) !== 0;
}

function stripStart({ text, place }: Part): Part {
  let start = 0;
  while (start < text.length && isSpace(text, start)) start++;
  return { text: text.slice(start), place: (at) => place(at + start) };
}

function stripEnd({ text, place }: Part): Part {
  let end = text.length;
  while (end > 0 && isSpace(text, end - 1)) end--;
  return { text: text.slice(0, end), place };
}
