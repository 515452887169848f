/**
 * Added tokens (special ones such as [MASK], and others), found in the text before words are: leftmost, then longest,
 * as Hugging Face tokenizers does. A `normalized` token is looked for, itself normalized, in the normalized text.
 */

export interface AddedToken {
  readonly id: number;
  readonly content: string;
  readonly special: boolean;
  /** Looked for in the normalized text instead of the text as it is. */
  readonly normalized: boolean;
  /** Takes the white space on its left or right with it. */
  readonly lstrip: boolean;
  readonly rstrip: boolean;
  /** Only where no letter or digit stands beside it. */
  readonly singleWord: boolean;
}

/** A part of the text: an added token, or text between added tokens (`token` undefined). */
interface Part {
  readonly token: AddedToken | undefined;
  readonly start: number;
  readonly end: number;
}

export interface AddedTokenFinder {
  /** The parts of `text`, in order; undefined where no token occurs. */
  find(text: string): Part[] | undefined;
}

const endsWithWord = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]$/u;
const startsWithWord = /^[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u;
const spaceAtEnd = /\p{White_Space}*$/u;
const spaceAtStart = /^\p{White_Space}*/u;

/** Looks for `tokens`, each written as `written(token)`; undefined when there are none. */
export function addedTokenFinder(
  tokens: readonly AddedToken[],
  written: (token: AddedToken) => string,
): AddedTokenFinder | undefined {
  const byText = new Map<string, AddedToken>();
  for (const token of tokens) {
    const text = written(token);
    if (text !== "" && !byText.has(text)) byText.set(text, token);
  }
  const pattern = patternOf([...byText.keys()]);
  if (pattern === undefined) return undefined;

  return {
    find(text) {
      pattern.lastIndex = 0;
      let match = pattern.exec(text);
      if (match === null) return undefined;
      const parts: Part[] = [];
      let done = 0;
      for (; match !== null; match = pattern.exec(text)) {
        const token = byText.get(match[0])!;
        let start = match.index;
        let end = start + match[0].length;
        if (token.singleWord) {
          const besideWord =
            endsWithWord.test(charactersBefore(text, start)) || startsWithWord.test(text.slice(end, end + 2));
          if (besideWord) continue;
        }
        if (token.lstrip) start = Math.max(done, spaceAtEnd.exec(text.slice(done, start))!.index + done);
        if (token.rstrip) end += spaceAtStart.exec(text.slice(end))![0].length;
        if (done < start) parts.push({ token: undefined, start: done, end: start });
        parts.push({ token, start, end });
        done = end;
      }
      if (done < text.length) parts.push({ token: undefined, start: done, end: text.length });
      return parts;
    },
  };
}

/** Finds any of `texts`: the leftmost, and the longest of those that begin there; undefined when there are none. */
export function patternOf(texts: readonly string[]): RegExp | undefined {
  if (texts.length === 0) return undefined;
  const longestFirst = [...texts].sort((a, b) => b.length - a.length);
  return new RegExp(longestFirst.map((text) => text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")).join("|"), "gu");
}

function charactersBefore(text: string, end: number): string {
  return text.slice(Math.max(0, end - 2), end);
}
