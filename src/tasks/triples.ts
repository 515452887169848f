/**
 * What KD-DTI and DDI share: files of documents with drug-target-interaction triples, the sentence that states one, and
 * the hard-match evaluation. Heads are ordered by where their name, not lower-cased, stands in the lower-cased text, as
 * published: most are not found and keep the file's order.
 */
import * as z from "zod";
import { readJsonEntries } from "../io/json.ts";
import { hardMatch, hardMatchScores, type Relation, type RelationDocument } from "../metrics/hard-match.ts";
import { checkAligned } from "../metrics/report.ts";
import { copying, copyRelations } from "./baselines.ts";
import { type Benchmark, type Example, exampleOfText } from "./benchmark.ts";
import { answerOf, formOf, lowercased, orderByHead, relationTemplate } from "./relations.ts";

export type RelationExample = Example<readonly Relation[]>;
export type RelationBenchmark = Benchmark<RelationExample, Relation[]>;

const file = z.object({
  title: z.string().optional(),
  abstract: z.string(),
  triples: z.array(z.object({ drug: z.string(), target: z.string(), interaction: z.string() })).nullable(),
});

const sentence = "the interaction between {head} and {tail} is {relation}";
const template = relationTemplate(sentence);

/** Examples with what was answered, for scoring. */
export const relationDocuments = (
  examples: readonly RelationExample[],
  answers: readonly (readonly Relation[])[],
): RelationDocument[] => examples.map(({ gold }, i) => ({ gold, predicted: answers[i] ?? [] }));

/** A benchmark of such files; `relations` are the words of all there are, `textOf` makes the source text. */
export function triplesBenchmark(
  about: Pick<RelationBenchmark, "name" | "version" | "description" | "data" | "published">,
  relations: readonly string[],
  textOf: (title: string, abstract: string) => string,
): RelationBenchmark {
  return {
    ...about,
    extracts: "relations",
    answerForm: formOf(sentence, relations, { many: true }),
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
    exampleOf: exampleOfText,
    source: (example) => example.text.toLowerCase(),
    target: (example) => template.format(orderByHead(example.gold, example.text.toLowerCase()).map(lowercased)),
    parse: (generated) => template.parse(answerOf(generated)),
    evaluate(examples, answers, options) {
      checkAligned(examples, answers, about.name);
      return {
        failed: answers.filter((relations) => relations.length === 0).length,
        primary: "mean_document_f1",
        figures: hardMatch(relationDocuments(examples, answers), options),
      };
    },
    scores(examples, answers) {
      checkAligned(examples, answers, about.name);
      return hardMatchScores(relationDocuments(examples, answers)).map(({ f1 }) => f1);
    },
    baseline: { about: copying, answers: copyRelations },
  };
}
