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
const whiteSpace = /\p{White_Space}/u;
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
  if (byText.size === 0) return undefined;
  const matchesIn = matcherOf([...byText.keys()]);

  return {
    find(text) {
      const matches = matchesIn(text);
      if (matches.length === 0) return undefined;
      const parts: Part[] = [];
      let done = 0;
      for (const { content, index } of matches) {
        const token = byText.get(content)!;
        let start = index;
        let end = start + content.length;
        if (token.singleWord) {
          const besideWord =
            endsWithWord.test(charactersBefore(text, start)) || startsWithWord.test(text.slice(end, end + 2));
          if (besideWord) continue;
        }
        if (token.lstrip) while (start > done && whiteSpace.test(text[start - 1]!)) start--;
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

export interface Match {
  readonly content: string;
  readonly index: number;
}

/**
 * Finds `contents` in a text: the leftmost, then the longest that begins there, and on behind it. Time grows with the
 * text and the number of their lengths, not with how many there are.
 */
export function matcherOf(contents: readonly string[]): (text: string) => Match[] {
  const known = new Set(contents);
  /** By first code unit, longest first. */
  const lengths = new Map<number, number[]>();
  for (const { length, unit } of contents.map((content) => ({ length: content.length, unit: content.charCodeAt(0) }))) {
    const some = lengths.get(unit) ?? [];
    if (!some.includes(length))
      lengths.set(
        unit,
        [...some, length].sort((a, b) => b - a),
      );
  }
  const first = beginnings(contents);
  return (text) => {
    const matches: Match[] = [];
    first.lastIndex = 0;
    for (let found = first.exec(text); found !== null; found = first.exec(text)) {
      const { index } = found;
      const length = lengths.get(text.charCodeAt(index))!.find((some) => known.has(text.slice(index, index + some)));
      if (length === undefined) {
        first.lastIndex = index + 1;
        continue;
      }
      const content = text.slice(index, index + length);
      matches.push({ content, index });
      first.lastIndex = index + content.length;
    }
    return matches;
  };
}

function charactersBefore(text: string, end: number): string {
  return text.slice(Math.max(0, end - 2), end);
}

/** Finds the first two units of each of `contents`, where it has two. */
function beginnings(contents: readonly string[]): RegExp {
  const seconds = new Map<string, Set<string>>();
  for (const content of contents) {
    const second = content.length > 1 ? escaped(content, 1) : "";
    seconds.set(escaped(content, 0), (seconds.get(escaped(content, 0)) ?? new Set()).add(second));
  }
  const ways = Array.from(seconds, ([unit, behind]) => (behind.has("") ? unit : `${unit}[${[...behind].join("")}]`));
  return new RegExp(ways.join("|"), "g");
}

function escaped(text: string, at: number): string {
  return `\\u${text.charCodeAt(at).toString(16).padStart(4, "0")}`;
}
