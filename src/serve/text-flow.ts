/** The text of a sequence as it grows, without what comes from a stop string on, nor what may yet turn out to be one. */
import { createTextStream } from "../generate/stream.ts";
import { commonLength } from "../tokenizers/ids.ts";
import type { Tokenizer } from "../tokenizers/tokenizer.ts";

/** Of a long prompt the end alone says how the new text begins. */
function windowOf(prompt: readonly number[]): readonly number[] {
  return prompt.length > 256 ? prompt.slice(-64) : prompt;
}

type Decoding = Pick<Tokenizer, "decode">;

/** What a sequence's text has beyond its prompt's. */
export function newTextOf(tokenizer: Decoding, prompt: readonly number[]): (ids: readonly number[]) => string {
  const window = windowOf(prompt);
  const decode = (ids: readonly number[]): string => tokenizer.decode(ids, { skipSpecialTokens: true });
  const before = decode(window);
  return (ids) => {
    const text = decode([...window, ...ids.slice(prompt.length)]);
    return text.slice(commonLength(before, text));
  };
}

/** A function that gives the text gained with each state of one sequence, and whether a stop string has ended it. */
export function createTextFlow(
  tokenizer: Decoding,
  prompt: readonly number[],
  stops: readonly string[],
): (ids: readonly number[], ended: boolean) => { readonly text: string; readonly stopped: boolean } {
  const window = windowOf(prompt);
  const stream = createTextStream(window, (ids) => tokenizer.decode(ids, { skipSpecialTokens: true }));
  let held = "";
  let stopped = false;
  return (ids, ended) => {
    if (stopped) return { text: "", stopped };
    held += stream({ ids: [...window, ...ids.slice(prompt.length)], ended });
    const places = stops.map((stop) => held.indexOf(stop)).filter((at) => at >= 0);
    stopped = places.length > 0;
    const end = stopped ? Math.min(...places) : ended ? held.length : held.length - beginningOfStop(held, stops);
    const text = held.slice(0, end);
    held = held.slice(end);
    return { text, stopped };
  };
}

/** Characters at the end of `text` that a stop string may begin with. */
function beginningOfStop(text: string, stops: readonly string[]): number {
  const longest = stops.reduce((most, { length }) => Math.max(most, length - 1), 0);
  for (let length = Math.min(longest, text.length); length > 0; length--) {
    const end = text.slice(-length);
    if (stops.some((stop) => stop.startsWith(end))) return length;
  }
  return 0;
}
