/** BERT's kind of tokenizer for the registry: WordPiece, by tokenizer.json or by vocab.txt alone. */
import type { TokenizerKind } from "../tokenizer.ts";
import { bertTokenizerFromFiles } from "./bert.ts";
import { extendBertTokenizer } from "./extend.ts";
import { trainBertTokenizer } from "./train.ts";

/** Models whose tokenizer is BERT's under their own name. */
const models = ["Bert", "DistilBert", "Electra"];

export const bertKind: TokenizerKind = {
  name: "bert",
  about: "WordPiece",
  classes: models.flatMap((model) => [`${model}Tokenizer`, `${model}TokenizerFast`]),
  layouts: [["tokenizer.json"], ["vocab.txt"]],
  recognises: (files, pipeline) => (pipeline === undefined ? files.has("vocab.txt") : pipeline.model === "WordPiece"),
  read: (files) => bertTokenizerFromFiles(files),
  learn: trainBertTokenizer,
  extend: extendBertTokenizer,
};
