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
    data: {
      folder: "kd-dti",
      files: {
        valid: [{ path: "valid.json", sha256: "fa3ad78fb3b6faecb040489606cfcd234c8da31b46852e48f564d1e0810be56c" }],
        test: [{ path: "test.json", sha256: "72d559ec91eb24b102e9a3404c5c415fefdf8dbbc0f9415336a5d642679c1ee4" }],
      },
      from: "Get the files of data/KD-DTI/raw in https://github.com/microsoft/BioGPT (648f7d6).",
      licence: "none stated; DrugBank's names are CC BY-NC 4.0",
    },
    published: { base: 38.42, large: 38.39 },
  },
  kinds,
  joinTitle,
);
