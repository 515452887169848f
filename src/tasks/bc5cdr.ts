/**
 * BC5CDR, chemical-induced disease (Li et al. 2016), as BioGPT fine-tunes on it: names in the answer are the longest
 * surface form of each MeSH identifier in that document. Scoring maps generated names back through a lexicon pooled
 * from the gold annotation of every scored document, as published: names come with their identifiers for free, and an
 * ambiguous name keeps the last one. Reads BioGPT's JSON files.
 */
import { z } from "zod";
import { bc5cdrDocumentCounts, type IdentifiedRelation } from "../metrics/bc5cdr.ts";
import { microF1, scores, sumCounts, mean, type Counts } from "../metrics/counts.ts";
import type { Relation } from "../metrics/hard-match.ts";
import { checkAligned, figure, type EvaluateOptions, type Report } from "../metrics/report.ts";
import { readJsonEntries } from "../io/json.ts";
import { answerOf, joinTitle, relationTemplate, wordsOf } from "./relations.ts";
import { commonHyperparameters, greedy, truncateAt, type Example, type Task } from "./task.ts";

/** Lower-cased surface form → MeSH identifier. */
type Names = Readonly<Record<string, string>>;

export interface Lexicon {
  readonly chemicals: Names;
  readonly diseases: Names;
}

export type Bc5cdrExample = Example<Lexicon & { readonly relations: readonly IdentifiedRelation[] }>;

const file = z.object({
  title: z.string(),
  abstract: z.string(),
  relations: z.array(z.object({ chemical: z.string(), disease: z.string() })).nullable(),
  chemical2id: z.record(z.string(), z.string()),
  disease2id: z.record(z.string(), z.string()),
});

const sentence = "the relation between {head} and {tail} exists";
const template = relationTemplate(sentence, /\s*;\s*/);

/** Longest name of each identifier; the first of equally long ones. */
function longestNames(names: Names): Map<string, string> {
  const longest = new Map<string, string>();
  for (const [name, id] of Object.entries(names)) {
    const known = longest.get(id);
    if (known === undefined || [...name].length > [...known].length) longest.set(id, name);
  }
  return longest;
}

/** Union of the documents' names; a name with two identifiers keeps the last. */
export function pooledLexicon(examples: readonly Bc5cdrExample[]): Lexicon {
  const pool = (names: (example: Bc5cdrExample) => Names): Names => {
    const pooled = new Map(examples.flatMap((example) => Object.entries(names(example))));
    return Object.fromEntries(pooled);
  };
  return { chemicals: pool((one) => one.gold.chemicals), diseases: pool((one) => one.gold.diseases) };
}

/** Identifiers of generated names; "-1" for a name that the lexicon lacks. */
export function linkNames(relations: readonly Relation[], lexicon: Lexicon): IdentifiedRelation[] {
  const look = (names: Names, name: string): string => (Object.hasOwn(names, name) ? (names[name] ?? "-1") : "-1");
  return relations.map(({ head, tail }) => ({
    chemical: look(lexicon.chemicals, head),
    disease: look(lexicon.diseases, tail),
  }));
}

function countsWith(
  gold: readonly Bc5cdrExample[],
  predictions: readonly (readonly Relation[])[],
  lexiconOf: (example: Bc5cdrExample) => Lexicon,
): Counts[] {
  return bc5cdrDocumentCounts(
    new Map(gold.map((example) => [example.id, example.gold.relations])),
    new Map(gold.map((example, i) => [example.id, linkNames(predictions[i] ?? [], lexiconOf(example))])),
  );
}

function evaluate(
  gold: readonly Bc5cdrExample[],
  predictions: readonly Relation[][],
  options: EvaluateOptions = {},
): Report {
  checkAligned(gold, predictions, "bc5cdr");
  const pooled = pooledLexicon(gold);
  const counts = countsWith(gold, predictions, () => pooled);
  const own = countsWith(gold, predictions, (example) => example.gold);
  const total = sumCounts(counts);
  const detail = (name: string, label: string, value: number) => ({ name, label, value, kind: "detail" as const });
  return {
    task: bc5cdr.name,
    version: bc5cdr.version,
    examples: gold.length,
    failed: predictions.filter((relations) => relations.length === 0).length,
    primary: "micro_f1",
    figures: [
      figure(
        {
          name: "micro_f1",
          label: "micro-F1 (official scorer), names linked by a lexicon pooled from gold",
          kind: "published",
        },
        counts,
        microF1,
        options,
      ),
      detail("precision", "precision of micro_f1", scores(total).precision),
      detail("recall", "recall of micro_f1", scores(total).recall),
      detail("true_positives", "predicted relations that are true", total.tp),
      detail("false_positives", "predicted relations that are not", total.fp),
      detail("false_negatives", "true relations that were not predicted", total.fn),
      figure(
        {
          name: "own_lexicon_micro_f1",
          label: "micro-F1, names linked only by the same document's annotation",
          kind: "sound",
        },
        own,
        microF1,
        options,
      ),
      figure(
        { name: "mean_document_f1", label: "mean of per-document F1", kind: "sound" },
        counts,
        (sample) => mean(sample.map((one) => scores(one).f1)),
        options,
      ),
    ],
  };
}

export const bc5cdr: Task<Bc5cdrExample, Relation[]> = {
  name: "bc5cdr",
  version: "1",
  description: "Chemical-induced disease relations of PubMed abstracts (BioCreative V CDR)",
  promptLength: 9,
  truncation: truncateAt(640),
  lowercase: true,
  hyperparameters: {
    ...commonHyperparameters,
    learningRate: 1e-5,
    warmupUpdates: 100,
    stop: { epochs: 100 },
    checkpoint: { averageLastEpochs: 5 },
  },
  decoding: greedy,
  published: { base: 44.98, large: 50.12 },
  extracts: "relations",
  answerWords: wordsOf(sentence, []),
  async read(folder, split, options = {}) {
    const documents = await readJsonEntries(`${folder}/${split}.json`, file);
    const examples = documents.map(([id, one]) => ({
      id,
      text: joinTitle(one.title, one.abstract),
      gold: { relations: one.relations ?? [], chemicals: one.chemical2id, diseases: one.disease2id },
    }));
    return options.includeEmpty === true ? examples : examples.filter((one) => one.gold.relations.length > 0);
  },
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
  evaluate,
};
