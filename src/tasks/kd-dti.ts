/**
 * KD-DTI (Hou et al. 2022), drug-target interaction: names in gold are DrugBank's canonical ones, most of which do not
 * stand in the text, so this is generation of names, not extraction of spans. Reads BioGPT's JSON files.
 */
import { joinTitle } from "./relations.ts";
import { type RelationBenchmark, triplesBenchmark } from "./triples.ts";

/** The words of DrugBank's kinds of interaction that occur. */
const kinds =
  "activator adduct agonist allosteric antagonist antibody bind binder binding blocker chaperone chelator cleavage cofactor cross-linking/alkylation disruption downregulator enhancer inactivator inducer inhibitor intercalation inverse ligand modulator multitarget negative of opener other other/unknown partial positive potentiator product regulator stimulator substrate suppressor unknown weak".split(
    " ",
  );

export const kdDti: RelationBenchmark = triplesBenchmark(
  {
    name: "kd-dti",
    version: "1",
    description: "Drug-target interactions of PubMed abstracts, with DrugBank's names (KD-DTI)",
    published: { base: 38.42, large: 38.39 },
  },
  kinds,
  joinTitle,
);
