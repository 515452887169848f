/**
 * DDI 2013 (Herrero-Zazo et al. 2013), drug-drug interaction of four kinds, whole documents. The published test set has
 * only documents that state an interaction, so false alarms on others go unmeasured. Reads BioGPT's JSON files.
 */
import { type RelationBenchmark, triplesBenchmark } from "./triples.ts";

export const ddi: RelationBenchmark = triplesBenchmark(
  {
    name: "ddi",
    version: "1",
    description: "Drug-drug interactions of DrugBank and MEDLINE texts: effect, mechanism, advise, int (DDI 2013)",
    data: {
      folder: "ddi",
      files: {
        train: [{ path: "train.json", sha256: "6382659ce86fa7da174d8ce7ac8ff90e8f58851cc9e6316894dbee8dde895af3" }],
        valid: [{ path: "valid.json", sha256: "c5ec007d1625bb5b573c111694d65c2c32c4fbe989ebcad0e4562c71e545ec57" }],
        test: [{ path: "test.json", sha256: "9b1de1f31ca9b881da02054e1a9609b96598754d4a7201ebde1c95a49661ff5d" }],
      },
      from: "Get train.json, valid.json and test.json of data/DDI/raw in https://github.com/microsoft/BioGPT (648f7d6).",
      licence: "CC BY-NC 4.0 (README of https://github.com/isegura/DDICorpus)",
    },
    published: { base: 40.76, large: 44.89 },
  },
  ["effect", "mechanism", "advise", "int"],
  (_, abstract) => abstract.trim().replaceAll("\n", " "),
);
