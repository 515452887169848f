/**
 * Duplicate paragraphs: a long paragraph that stood before, in any document, is taken out (statements of funding and licence,
 * consent forms, methods that were copied); a document of which nothing is left is dropped. The first occurrence stays.
 */
import * as z from "zod";
import type { CorpusDocument, CorpusSection } from "../../corpus/corpus-document.ts";
import { hash128 } from "../work/hash.ts";
import { firstStays, type KeyedStage } from "../stage.ts";

const settings = z.strictObject({
  /** Words of a paragraph below which it may come again: headings, "None declared." */
  leastWords: z.int().positive().default(20),
});
type Settings = z.output<typeof settings>;

/** Lines are paragraphs where no blank lines part them, as in texts of others. */
const parting = /(\n\s*)/;

/** Paragraphs of prose, numbered through the document; tables repeat for good reasons. */
function* paragraphsOf({ sections }: CorpusDocument): Generator<readonly [number: number, text: string]> {
  let number = 0;
  for (const section of sections) {
    for (const [i, text] of section.text.split(parting).entries()) {
      // What stands between is a part of the list, too.
      if (i % 2 === 1) continue;
      if (section.kind !== "table") yield [number, text];
      number += 1;
    }
  }
}

function without(document: CorpusDocument, lost: ReadonlySet<number>): CorpusDocument {
  let number = 0;
  const sections = document.sections.flatMap((section): CorpusSection[] => {
    const parts = section.text.split(parting);
    let text = "";
    let isAny = false;
    for (let i = 0; i < parts.length; i += 2) {
      if (lost.has(number++)) continue;
      // A paragraph keeps what stood before it.
      text += isAny ? `${parts[i - 1]!}${parts[i]!}` : parts[i]!;
      isAny = true;
    }
    return isAny ? [{ ...section, text }] : [];
  });
  return { ...document, sections };
}

export const duplicateParagraphsStage: KeyedStage<Settings> = {
  name: "duplicate-paragraphs",
  about: "long paragraphs that stood before are taken out",
  version: 1,
  settings,
  rewrites: true,
  rule: "nothing-new",
  join: firstStays,
  open: ({ leastWords }) => ({
    keys(document, emit) {
      for (const [number, text] of paragraphsOf(document)) {
        const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
        if (words.length >= leastWords) emit(hash128(words.join(" ")), number);
      }
    },
    apply(document, parts) {
      const left = without(document, new Set(parts));
      if (left.sections.length === 0) return { keep: false, rule: "nothing-new" };
      return { keep: true, document: left, changes: { "paragraph-taken-out": parts.length } };
    },
  }),
};
