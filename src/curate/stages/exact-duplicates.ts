/** Exact duplicates: documents whose sections say the same, but for white space; the first in the corpus's order stays. */
import * as z from "zod";
import { hash128 } from "../work/hash.ts";
import { firstStays, type KeyedStage } from "../stage.ts";

export const exactDuplicatesStage: KeyedStage<Record<string, never>> = {
  name: "exact-duplicates",
  about: "of documents with the same text the first stays",
  version: 1,
  settings: z.strictObject({}) as z.ZodType<Record<string, never>>,
  rewrites: false,
  rule: "exact-duplicate",
  join: firstStays,
  open: () => ({
    keys({ title, sections }, emit) {
      const text = sections.map((section) => section.text).join("\n");
      emit(hash128((text === "" ? title : text).replace(/\s+/g, " ").trim()), 0);
    },
  }),
};
