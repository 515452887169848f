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
    published: { base: 40.76, large: 44.89 },
  },
  ["effect", "mechanism", "advise", "int"],
  (_, abstract) => abstract.trim().replaceAll("\n", " "),
);
