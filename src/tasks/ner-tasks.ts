/**
 * Named-entity tasks over the IOB files that biomedical taggers are compared on (those of Crichton et al. 2017, which
 * BioBERT and BLURB took over), without types: BC5CDR-chem, BC5CDR-disease, NCBI-disease, BC2GM, JNLPBA. The wording is
 * ours. Scored as seqeval does: type and both ends right. The shared tasks of BC2GM and JNLPBA differ: BC2GM also took
 * its annotators' alternative boundaries, JNLPBA reported its five types apart; neither stands in these files.
 */
import type { DataFiles } from "./benchmark.ts";
import { type EntityBenchmark, entityBenchmark, entitySentences } from "./entities.ts";

const repository = "https://github.com/cambridgeltl/MTL-Bioinformatics-2016 (df0df02)";

/** `digests`: of train, dev and test. */
function filesOf(name: string, digests: readonly [string, string, string], licence: string): DataFiles {
  const file = (split: string, i: number): { path: string; sha256: string }[] => [
    { path: `${split}.tsv`, sha256: digests[i]! },
  ];
  const from =
    name === "JNLPBA"
      ? `Get data/JNLPBA/original-data of ${repository}: take the types off the tags, write "-DOCSTART- ID" for ` +
        `"###MEDLINE:ID"; dev.tsv is the last 200 abstracts of training, train.tsv the others.`
      : `Get data/${name}-IOB of ${repository}, call devel.tsv dev.tsv and take the types off the tags: ` +
        "sed -E 's/\\t([BI])-.*/\\t\\1/'.";
  return {
    folder: `ner/${name}`,
    files: { train: file("train", 0), valid: file("dev", 1), test: file("test", 2) },
    from,
    licence,
  };
}

const ofNcbi =
  "the corpus is free to use with its citation (NCBI, a work of the US government); these files CC BY 4.0 (README of that repository)";

const data = {
  bc5cdrChemical: filesOf(
    "BC5CDR-chem",
    [
      "1272b747a1d64ccfaa21061c515c26e9e1f134e3afd3c2ef14d8cd0697e9a234",
      "17a6bc43d459c9dedaedad7990eb44ce0c4789a3a9813104aef9d2f3192c8fd0",
      "4da9183ad83d0921eaca25ba011871308b9476c14f9b10fba7bfee55a9750649",
    ],
    ofNcbi,
  ),
  bc5cdrDisease: filesOf(
    "BC5CDR-disease",
    [
      "ed209466f99f192460c8b2079cb9dd688c445ce1f2601c2c141f6a84b4a7edf2",
      "405332504d3f6d577f33084494d0916bcdfee789aa1bd954e93a5b79239c2967",
      "a291f73998031d910dd84ae3c52c744d10ddc44042895056f978c39838bd48b3",
    ],
    ofNcbi,
  ),
  ncbiDisease: filesOf(
    "NCBI-disease",
    [
      "26df55fb9da14f52834c7c7238ec30af271aa4e3bbe2256ef96cab2c0a7e159b",
      "a91324724fa0783ef3096f060580e6b4e8dfdf83664d48e77951a45b693c0eaa",
      "ca56aff802f8c8849793e806914636f7c9d8bf03bbd88c66402266289beb3995",
    ],
    ofNcbi,
  ),
  bc2gm: filesOf(
    "BC2GM",
    [
      "1f180df262ba11c108bf798eae9d94e2090b51985694eb5acd8e9c544045f9a0",
      "634e84223ef02cf231fa4b5a5a256ad581efe1405c5bb31986ac0cf055b64e38",
      "ea0d230134416109a1feb1ff4169e43b89893ef93b91e392c2534944828b724a",
    ],
    "none stated by BioCreative; these files CC BY 4.0 (README of that repository)",
  ),
  jnlpba: filesOf(
    "JNLPBA",
    [
      "e3bd594512fcffd9d79dbf4785e805f87c31d576692eeae33458c54b0416a8e0",
      "ac56df325166c779c76177de16efff624f0cdb0e9a6a406c13dbd02b712b1e7c",
      "6da4243aa7b9822c188bb81391689bcec22756f2ae653b823cfb9cf21d7eb938",
    ],
    "GENIA Project License for Annotated Corpora",
  ),
} as const;

const ner = (name: string, type: string, description: string, files?: DataFiles): EntityBenchmark => ({
  ...entityBenchmark({ name, version: "1", description, types: [type], lowercase: false, ...entitySentences }),
  ...(files && { data: files }),
});

/** By type: a model that was tuned on one corpus is also asked another of its type. */
export const nerTasks: readonly EntityBenchmark[] = [
  ner("ner-chemical", "chemical", "Chemicals named in a sentence (BC5CDR-chem)", data.bc5cdrChemical),
  // Of two corpora, so that no files are its own.
  ner("ner-disease", "disease", "Diseases named in a sentence (BC5CDR-disease, NCBI-disease)"),
  ner("ner-gene", "gene", "Genes and proteins named in a sentence (BC2GM)", data.bc2gm),
  ner(
    "ner-jnlpba",
    "bioentity",
    "Proteins, DNA, RNA, cell lines and cell types named in a sentence (JNLPBA)",
    data.jnlpba,
  ),
];

/** By corpus; JNLPBA's is above. */
export const nerCorpora: readonly EntityBenchmark[] = [
  ner("ner-bc5cdr-chemical", "chemical", "Chemicals named in a sentence (BC5CDR-chem)", data.bc5cdrChemical),
  ner("ner-bc5cdr-disease", "disease", "Diseases named in a sentence (BC5CDR-disease)", data.bc5cdrDisease),
  ner("ner-ncbi-disease", "disease", "Diseases named in a sentence (NCBI-disease)", data.ncbiDisease),
  ner("ner-bc2gm", "gene", "Genes and proteins named in a sentence (BC2GM)", data.bc2gm),
];
