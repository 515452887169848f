/** Texts that were longer than a model takes, counted while a command runs and said in one line at its end. */
import type { Output } from "./output.ts";

export interface Cuts {
  /** Counts texts of which these were cut; a function of its own, to be handed on. */
  readonly add: (cut: { readonly texts: readonly string[]; readonly of: number }) => void;
  /** Counts one. */
  readonly one: (text: string, isCut: boolean) => void;
  /** For a summary in JSON: nothing where no text was cut. */
  json(): { readonly cut?: { readonly texts: number; readonly of: number } };
  /** The line. */
  say(output: Output): void;
}

/** `what` is counted, in the plural. */
export function countCuts(what = "texts"): Cuts {
  let [count, all] = [0, 0];
  let first: string | undefined;
  const add: Cuts["add"] = ({ texts, of }) => {
    all += of;
    count += texts.length;
    first ??= texts[0];
  };
  return {
    add,
    one: (text, isCut) => add({ texts: isCut ? [text] : [], of: 1 }),
    json: () => (count === 0 ? {} : { cut: { texts: count, of: all } }),
    say(output) {
      if (first === undefined) return;
      const start = first.slice(0, 60).replaceAll(/\s+/g, " ");
      output.note(`${count} of ${all} ${what} are longer than the model takes and were cut, the first: ${start}`);
    },
  };
}
