/**
 * Text of a growing sequence. A decoder of tokens may join, space or quote earlier words anew when more come (BioGPT's
 * Moses detokenizer does), so only words before the last space that two readings in a row agree on are handed out.
 */
import { commonLength } from "../tokenizers/ids.ts";

interface Growth {
  readonly ids: readonly number[];
  readonly ended: boolean;
}

/** A function that gives, for each state of one sequence, the text gained since the last. */
export function createTextStream(
  prompt: readonly number[],
  decode: (ids: readonly number[]) => string,
): (state: Growth) => string {
  let previous = decode(prompt);
  let shown = "";
  let started = false;
  return ({ ids, ended }) => {
    const text = decode(ids);
    if (!started) {
      shown = text.slice(0, commonLength(previous, text)); // the prompt's own text is not gained
      started = true;
    }
    const agreed = text.slice(0, commonLength(previous, text));
    const stable = ended ? text.length : agreed.lastIndexOf(" ");
    previous = text;
    const from = commonLength(shown, text);
    if (stable <= from || (from < shown.length && !ended)) return "";
    shown = text.slice(0, stable);
    return text.slice(from, stable);
  };
}
