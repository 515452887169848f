/** BioGPT's kind of tokenizer for the registry: what its files look like, in Hugging Face's layout and fairseq's. */
import type { TokenizerKind } from "../tokenizer.ts";
import { createBioGptTokenizer } from "./biogpt.ts";
import { extendBioGptTokenizer } from "./extend.ts";
import { bioGptFileNames, bioGptPartsFromFiles, WORD_END } from "./files.ts";
import { trainBioGptTokenizer } from "./train.ts";

export const bioGptKind: TokenizerKind = {
  name: "biogpt",
  about: "byte pair encoding of Moses tokens",
  classes: ["BioGptTokenizer"],
  layouts: bioGptFileNames,
  // GPT-2 and its relatives have files of the same names, without the mark.
  recognises: (files, pipeline) =>
    pipeline === undefined &&
    (files.get("merges.txt")?.includes(WORD_END) === true || (files.has("dict.txt") && files.has("bpecodes"))),
  read: (files, where) => createBioGptTokenizer(bioGptPartsFromFiles(files, where)),
  learn: trainBioGptTokenizer,
  extend: extendBioGptTokenizer,
};
