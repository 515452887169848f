/** What a rule of cleaning up is: a text in, a text out, and how often it changed something. */

export interface CleanContext {
  /** All prose of the document as it came: what words it has, how it cites. */
  readonly prose: () => string;
}

export interface Cleaned {
  readonly text: string;
  /** How often the rule changed something. */
  readonly count: number;
}

export interface CleanRule {
  readonly name: string;
  readonly about: string;
  /** Whether it is for prose alone; the others are for titles, tables and captions too. */
  readonly proseOnly: boolean;
  apply(text: string, context: CleanContext): Cleaned;
}

/** What stands for a match: a text, or undefined where the match stays as it is. */
export type Replacement = (match: RegExpExecArray) => string | undefined;

/** Replaces matches of a global pattern, and counts those that were. */
export function replaceAll(text: string, pattern: RegExp, replacement: Replacement): Cleaned {
  const parts: string[] = [];
  let [count, done] = [0, 0];
  for (const match of text.matchAll(pattern)) {
    const replaced = replacement(match);
    if (replaced === undefined || replaced === match[0]) continue;
    parts.push(text.slice(done, match.index), replaced);
    done = match.index + match[0].length;
    count += 1;
  }
  return count === 0 ? { text, count } : { text: parts.join("") + text.slice(done), count };
}

const mostRounds = 4;

/** Repeats what leaves something to it again ("&amp;amp;lt;"), up to four times: a text could be made so that it never ends. */
export function repeatedly(text: string, once: (text: string) => Cleaned): Cleaned {
  let cleaned = once(text);
  let count = cleaned.count;
  for (let round = 1; round < mostRounds && cleaned.count > 0; round++) {
    cleaned = once(cleaned.text);
    count += cleaned.count;
  }
  return { text: cleaned.text, count };
}
