/**
 * Which pieces go on with the word of the piece before, as a byte for each, so that an engine outside needs no tokenizer.
 * Left out: vocabularies whose words hang on both of two neighbours, as byte-level BPE's do.
 */
import { ConfigError } from "../errors.ts";
import { random } from "../tensor/random.ts";
import type { MaskingVocabulary } from "../train/objectives/masking.ts";

/** Pairs of pieces that are compared with what the vocabulary says of them. */
const compared = 20_000;

/**
 * 1 for a piece that goes on with a word, whatever stands before it.
 * @throws ConfigError where that hangs on the piece before.
 */
export function continuations({
  size,
  special,
  continues,
}: Pick<MaskingVocabulary, "size" | "special" | "continues">): Uint8Array {
  const { integer } = random(0);
  const ordinary = (): number => {
    for (let i = 0; i < size; i++) {
      const id = integer(size);
      if (!special.has(id)) return id;
    }
    return 0;
  };
  const before = ordinary();
  const found = Uint8Array.from({ length: size }, (_, id) => Number(continues(before, id)));
  for (let i = 0; i < compared; i++) {
    const [left, right] = [ordinary(), ordinary()];
    if (Number(continues(left, right)) === found[right]) continue;
    throw new ConfigError(
      "wholeWords: expected a vocabulary of word pieces, got one whose words hang on two neighbours",
      {
        hint: "set wholeWords=false, or train on this machine: galen train",
      },
    );
  }
  return found;
}
