/**
 * Stop strings as transformers finds them (generation/stopping_criteria.py, `StopStringCriteria`): every token is the
 * text that it adds behind a word, and a sequence ends where a stop string reaches into its last token, wherever it
 * began, in the prompt too. What follows it within that token stays.
 */

/** What this needs of a tokenizer. */
interface Codec {
  encodeIds(text: string): number[];
  decode(ids: Iterable<number>): string;
}

const word = "abcdef";

/** The text that a token adds behind a word, by its id. */
export function createPieces({ encodeIds, decode }: Codec): (id: number) => string {
  const base = encodeIds(word).slice(encodeIds("").length);
  const known = new Map<number, string>();
  return (id) => {
    const found = known.get(id);
    if (found !== undefined) return found;
    const text = decode([...base, id]);
    // A vocabulary without these letters gives something else: then the token alone, as a word.
    const piece = text.startsWith(word) ? text.slice(word.length) : ` ${decode([id])}`;
    known.set(id, piece);
    return piece;
  };
}

/**
 * Whether a sequence ends for a stop string: by transformers' reading, or because its new text as it is handed out has
 * one. Transformers has white space between the pieces of a word, where a reader sees none.
 */
export function stopRule(
  stops: readonly string[],
  tokenizer: Codec,
  textOf: (ids: readonly number[]) => string,
): (ids: readonly number[], prompt: number) => boolean {
  const isFound = stopFinder(stops, tokenizer);
  return (ids, prompt) => {
    if (isFound(ids)) return true;
    const text = textOf(ids.slice(prompt));
    return stops.some((stop) => text.includes(stop));
  };
}

/** Whether one of `stops` reaches into the last of some tokens. */
export function stopFinder(stops: readonly string[], tokenizer: Codec): (ids: readonly number[]) => boolean {
  const pieceOf = createPieces(tokenizer);
  const longest = Math.max(0, ...stops.map((stop) => stop.length));
  return (ids) => {
    if (ids.length === 0) return false;
    const last = pieceOf(ids.at(-1)!);
    let before = "";
    const first = Math.max(0, ids.length - longest);
    for (let i = ids.length - 2; i >= first && before.length < longest; i--) before = pieceOf(ids[i]!) + before;
    const text = before + last;
    return stops.some((stop) => text.includes(stop, Math.max(0, before.length - stop.length + 1)));
  };
}
