/** Whether a token ever comes out of a text, shown by encoding one. */
import type { AddedPiece, Tokenizer } from "./tokenizer.ts";

/** What the letters of a token are put behind and before: what merges with no letter, as a rule. */
const before = ["", " ", ..."0123456789(-_", ..."abcdefghijklmnopqrstuvwxyz"];
const behind = ["", "1", "_", ..."abcdefghijklmnopqrstuvwxyz"];

/**
 * A short text of which the token is a part; undefined where its own letters never give it, alone or beside one other
 * character.
 */
export function textWith(tokenizer: Pick<Tokenizer, "encodeIds">, { id, text }: AddedPiece): string | undefined {
  for (const first of before) {
    for (const last of behind) {
      const around = first + text + last;
      if (tokenizer.encodeIds(around).includes(id)) return around;
    }
  }
  return undefined;
}
