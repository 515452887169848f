/** A query cut into what it is written of: phrases, words, operators, tags, parentheses, each with its place. */
import { UsageError } from "../errors.ts";

export interface Token {
  readonly kind: "word" | "phrase" | "tag" | "operator" | "open" | "close";
  /** Of phrases and tags what stands within their marks. */
  readonly text: string;
  /** UTF-16 units from the start of the query. */
  readonly at: number;
}

/** More than any query that people or programs write: PubMed's own strategies of systematic reviews have some thousands. */
const mostCharacters = 65_536;

/** An error that shows where in the query it is. */
export function wrongQuery(query: string, at: number, message: string, hint?: string): UsageError {
  const near = query.slice(Math.max(0, at - 20), at + 30).replace(/\s+/g, " ");
  return new UsageError(
    `query, character ${at + 1} (near ${near.trim() === "" ? "its end" : `"${near.replaceAll('"', "'")}"`}): ${message}`,
    { hint },
  );
}

const quotes = /["“”„]/g;
const word = /[^\s()"“”„[\]]+/y;
/** Identifiers that may hold parentheses and brackets' likes: 10.1016/S0140-6736(20)30183-5. */
const doi = /10\.\d{4,9}\/[^\s"“”„[\]]+/y;
const tag = /\[([^[\]\n]{1,80})\]/y;

/** @throws UsageError for a phrase that is not closed, and for a query that is too long. */
export function tokensOf(query: string): Token[] {
  if (query.length > mostCharacters) {
    throw new UsageError(`query: expected at most ${mostCharacters} characters, got ${query.length}`);
  }
  const tokens: Token[] = [];
  const matchAt = (form: RegExp, at: number): RegExpExecArray | null => {
    form.lastIndex = at;
    return form.exec(query);
  };
  for (let at = 0; at < query.length;) {
    const character = query[at]!;
    if (character === "(" || character === ")")
      tokens.push({ kind: character === "(" ? "open" : "close", text: character, at: at++ });
    else if (/["“”„]/.test(character)) {
      quotes.lastIndex = at + 1;
      const end = quotes.exec(query)?.index;
      if (end === undefined) throw wrongQuery(query, at, "expected a quotation mark that closes this one, got none");
      tokens.push({ kind: "phrase", text: query.slice(at + 1, end), at });
      at = end + 1;
    } else if (character === "[") {
      const found = matchAt(tag, at);
      if (found !== null) tokens.push({ kind: "tag", text: found[1]!, at });
      at += found?.[0].length ?? 1;
    } else {
      const text = identifierAt(matchAt(doi, at)?.[0]) ?? matchAt(word, at)?.[0];
      if (text !== undefined) tokens.push({ kind: /^(?:AND|OR|NOT)$/.test(text) ? "operator" : "word", text, at });
      at += text?.length ?? 1;
    }
  }
  return tokens;
}

/** Without parentheses at its end that it does not open: they are the query's. */
function identifierAt(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  let open = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === "(") open++;
    else if (text[i] === ")" && --open < 0) return text.slice(0, i);
  }
  return text;
}
