/** Learning a BERT tokenizer from texts; the WordPiece trainer has tests of its own. */
import { describe, expect, test } from "vitest";
import { trainBertTokenizer } from "./train.ts";
import { bertTokenizerFromFiles } from "./bert.ts";
import { trainWordPiece } from "./wordpiece-train.ts";

const texts = ["Aspirin inhibits COX-1, and aspirin inhibits COX-2.", "Ménière's disease", "癌症 aspirin"];

describe("trainBertTokenizer", () => {
  test("learns from words as BERT cuts them: lower case, no accents, punctuation and Han by themselves", async () => {
    const tokenizer = await trainBertTokenizer(texts, { vocabSize: 80 });
    const counts = new Map(
      Object.entries({
        aspirin: 3,
        inhibits: 2,
        cox: 2,
        "-": 2,
        "1": 1,
        ",": 1,
        and: 1,
        "2": 1,
        ".": 1,
        meniere: 1,
        "'": 1,
        s: 1,
        disease: 1,
        癌: 1,
        症: 1,
      }),
    );
    const expected = trainWordPiece(counts, { vocabSize: 80 });
    expect(Array.from({ length: tokenizer.vocabSize }, (_, id) => tokenizer.tokenOf(id))).toEqual(expected);
    expect(tokenizer.encode("ASPIRIN").tokens).toEqual(["[CLS]", "aspirin", "[SEP]"]);
  });

  test("keeps upper case where that is asked, also after a round through its files", async () => {
    const tokenizer = await trainBertTokenizer(texts, { vocabSize: 120, lowercase: false });
    const again = bertTokenizerFromFiles(tokenizer.files());
    expect(again.encode("COX").tokens).toEqual(tokenizer.encode("COX").tokens);
    expect(again.decode(again.encodeIds("COX"), { skipSpecialTokens: true })).toBe("COX");
  });
});
