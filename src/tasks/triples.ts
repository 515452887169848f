/**
 * What KD-DTI and DDI share: files of documents with drug-target-interaction triples, the sentence that states one, and
 * the hard-match evaluation. Heads are ordered by where their name, not lower-cased, stands in the lower-cased text, as
 * published: most are not found and keep the file's order.
 */
import { z } from "zod";
import { hardMatch, type Relation } from "../metrics/hard-match.ts";
import { checkAligned } from "../metrics/report.ts";
import { readJsonEntries } from "../io/json.ts";
import { answerOf, lowercased, orderByHead, relationTemplate, wordsOf } from "./relations.ts";
import { commonHyperparameters, greedy, truncateAt, type Example, type Task } from "./task.ts";

export type RelationExample = Example<readonly Relation[]>;
export type RelationTask = Task<RelationExample, Relation[]>;

const file = z.object({
  title: z.string().optional(),
  abstract: z.string(),
  triples: z.array(z.object({ drug: z.string(), target: z.string(), interaction: z.string() })).nullable(),
});

const sentence = "the interaction between {head} and {tail} is {relation}";
const template = relationTemplate(sentence);

/** A task over such files; `relations` are all there are, `textOf` makes the source text, `learning` holds what differs between the two. */
export function triplesTask(
  about: Pick<RelationTask, "name" | "version" | "description" | "published">,
  relations: readonly string[],
  learning: { readonly learningRate: number; readonly warmupUpdates: number; readonly epochs: number },
  textOf: (title: string, abstract: string) => string,
): RelationTask {
  const { epochs, ...rates } = learning;
  return {
    ...about,
    extracts: "relations",
    answerWords: wordsOf(sentence, relations),
    promptLength: 9,
    truncation: truncateAt(640),
    lowercase: true,
    hyperparameters: { ...commonHyperparameters, ...rates, stop: { epochs }, checkpoint: { averageLastEpochs: 5 } },
    decoding: greedy,
    async read(folder, split, options = {}) {
      const documents = await readJsonEntries(`${folder}/${split}.json`, file);
      const examples = documents.map(([id, one]) => ({
        id,
        text: textOf(one.title ?? "", one.abstract),
        gold: (one.triples ?? []).map((triple) => ({
          head: triple.drug,
          tail: triple.target,
          relation: triple.interaction,
        })),
      }));
      return options.includeEmpty === true ? examples : examples.filter((one) => one.gold.length > 0);
    },
    source: (example) => example.text.toLowerCase(),
    target: (example) => template.format(orderByHead(example.gold, example.text.toLowerCase()).map(lowercased)),
    parse: (generated) => template.parse(answerOf(generated)),
    evaluate(gold, predictions, options) {
      checkAligned(gold, predictions, about.name);
      return {
        task: about.name,
        version: about.version,
        examples: gold.length,
        failed: predictions.filter((relations) => relations.length === 0).length,
        primary: "mean_document_f1",
        figures: hardMatch(
          gold.map((example, i) => ({ gold: example.gold, predicted: predictions[i] ?? [] })),
          options,
        ),
      };
    },
  };
}
