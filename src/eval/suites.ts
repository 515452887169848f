/** Suites: benchmarks that are scored together, by name. */

/** Six sets of MMLU's medical subjects (Hendrycks et al. 2021). */
const mmlu = [
  "mmlu-anatomy",
  "mmlu-clinical-knowledge",
  "mmlu-college-biology",
  "mmlu-college-medicine",
  "mmlu-medical-genetics",
  "mmlu-professional-medicine",
] as const;

/** lm-evaluation-harness's group of the same name. */
const multimedqa = ["medqa", "medmcqa", "pubmedqa-prompted", ...mmlu] as const;

/** BC5CDR's chemicals and diseases are two files of the same sentences, and NCBI's diseases. */
const names = ["ner-bc5cdr-chemical", "ner-bc5cdr-disease", "ner-ncbi-disease"] as const;

export const suites: Readonly<Record<string, { readonly about: string; readonly benchmarks: readonly string[] }>> = {
  "biomedical-15": {
    about: "nine sets of questions, three of relations, three of names (of BC5CDR in two lines)",
    benchmarks: [...multimedqa, "bc5cdr", "kd-dti", "ddi", ...names, "ner-jnlpba"],
  },
  multimedqa: { about: "the nine sets of questions of lm-evaluation-harness's group", benchmarks: multimedqa },
  biogpt: { about: "the tasks of BioGPT's paper", benchmarks: ["bc5cdr", "kd-dti", "ddi", "pubmedqa", "hoc"] },
  texts: {
    about: "what is asked beside these: classes, inference, sections, BioASQ's questions, summaries",
    benchmarks: [
      "hoc",
      "medical-abstracts",
      "structured-abstracts",
      "nli4ct",
      "bioasq-yesno",
      "bioasq-factoid",
      "bioasq-list",
      "mts-dialog",
      "mts-dialog-sum",
      "article-summaries",
    ],
  },
  ner: {
    about: "names in sentences, as taggers are compared on them",
    benchmarks: [...names, "ner-bc2gm", "ner-jnlpba"],
  },
  embeddings: {
    about: "models that score texts against texts: NFCorpus' rankings, PubMedQA's questions with their answers",
    benchmarks: ["nfcorpus", "pubmedqa-pairs"],
  },
};
