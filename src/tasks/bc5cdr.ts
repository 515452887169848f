/**
 * BC5CDR, chemical-induced disease (Li et al. 2016), as BioGPT fine-tunes on it: names in the answer are the longest
 * surface form of each MeSH identifier in that document (`metrics/bc5cdr.ts` maps them back). Reads BioGPT's JSON files.
 */
import * as z from "zod";
import { readJsonEntries } from "../io/json.ts";
import { chemicalDiseaseCounts, chemicalDiseaseFigures, type NamedDocument, pooledLexicon } from "../metrics/bc5cdr.ts";
import type { Relation } from "../metrics/hard-match.ts";
import { checkAligned } from "../metrics/report.ts";
import { copying, copyPairs } from "./baselines.ts";
import type { Benchmark, Example } from "./benchmark.ts";
import { answerOf, formOf, joinTitle, relationTemplate } from "./relations.ts";

export type Bc5cdrExample = Example<NamedDocument["gold"]>;

const file = z.object({
  title: z.string(),
  abstract: z.string(),
  relations: z.array(z.object({ chemical: z.string(), disease: z.string() })).nullable(),
  chemical2id: z.record(z.string(), z.string()),
  disease2id: z.record(z.string(), z.string()),
});

const documentsOf = (examples: readonly Bc5cdrExample[], answers: readonly Relation[][]): NamedDocument[] =>
  examples.map(({ id, gold }, i) => ({ id, gold, predicted: answers[i] ?? [] }));

const sentence = "the relation between {head} and {tail} exists";
const template = relationTemplate(sentence, /\s*;\s*/);

/** Longest name of each identifier; the first of equally long ones. */
function longestNames(names: Readonly<Record<string, string>>): Map<string, string> {
  const longest = new Map<string, string>();
  for (const [name, id] of Object.entries(names)) {
    const known = longest.get(id);
    if (known === undefined || [...name].length > [...known].length) longest.set(id, name);
  }
  return longest;
}

export const bc5cdr: Benchmark<Bc5cdrExample, Relation[]> = {
  name: "bc5cdr",
  version: "1",
  description: "Chemical-induced disease relations of PubMed abstracts (BioCreative V CDR)",
  data: {
    folder: "bc5cdr",
    files: {
      train: [{ path: "train.json", sha256: "f0bf995e30faed6f4016e9868345bb9759b29c57622871c383dc9755edc9fa1c" }],
      valid: [{ path: "valid.json", sha256: "cf299b8a72780d5f5e450d65c0f2c977da20a7458b5d71a795466a35172f515d" }],
      test: [{ path: "test.json", sha256: "9072c3a3dbf641e9f667c05a8b8b14c91cd7b71980c077e7e67b4b16429b825f" }],
    },
    from: "Get train.json, valid.json and test.json of data/BC5CDR/raw in https://github.com/microsoft/BioGPT (648f7d6).",
    licence: "the corpus is free to use with its citation (NCBI, a work of the US government)",
  },
  published: { base: 44.98, large: 50.12 },
  extracts: "relations",
  answerForm: formOf(sentence, []),
  async read(folder, split, options = {}) {
    const documents = await readJsonEntries(`${folder}/${split}.json`, file);
    const examples = documents.map(([id, one]) => ({
      id,
      text: joinTitle(one.title, one.abstract),
      gold: { relations: one.relations ?? [], chemicals: one.chemical2id, diseases: one.disease2id },
    }));
    return options.includeEmpty === true ? examples : examples.filter((one) => one.gold.relations.length > 0);
  },
  exampleOf: (id, text) => ({ id, text: text.trim(), gold: { relations: [], chemicals: {}, diseases: {} } }),
  source: (example) => example.text.toLowerCase(),
  target({ gold }) {
    const [chemicals, diseases] = [longestNames(gold.chemicals), longestNames(gold.diseases)];
    return template.format(
      gold.relations.map(({ chemical, disease }) => ({
        head: chemicals.get(chemical) ?? "",
        tail: diseases.get(disease) ?? "",
        relation: "",
      })),
    );
  },
  parse: (generated) => template.parse(answerOf(generated)),
  evaluate(examples, answers, options) {
    checkAligned(examples, answers, "bc5cdr");
    return {
      failed: answers.filter((relations) => relations.length === 0).length,
      primary: "micro_f1",
      figures: chemicalDiseaseFigures(documentsOf(examples, answers), options),
    };
  },
  scores(examples, answers) {
    checkAligned(examples, answers, "bc5cdr");
    return chemicalDiseaseCounts(documentsOf(examples, answers));
  },
  baseline: {
    about: copying,
    answers(train, examples) {
      const { chemicals, diseases } = pooledLexicon(train.map((one) => one.gold));
      return copyPairs(Object.keys(chemicals), Object.keys(diseases), examples);
    },
  },
};
