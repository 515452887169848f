/** Relations of the user's own: examples are JSON lines `{"id", "text", "relations": [{"head", "tail", "relation"}]}`. */
import * as z from "zod";
import { ConfigError } from "../errors.ts";
import { readJsonLines } from "../io/json.ts";
import { hardMatch, hardMatchScores, type Relation } from "../metrics/hard-match.ts";
import { checkAligned } from "../metrics/report.ts";
import { copying, copyRelations } from "./baselines.ts";
import { exampleOfText } from "./benchmark.ts";
import { checkNames } from "./own-names.ts";
import { answerOf, formOf, lowercased, relationTemplate } from "./relations.ts";
import { type RelationBenchmark, relationDocuments } from "./triples.ts";

export interface OwnRelationSettings {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly relations: readonly string[];
  readonly template: string;
  /** What a text without relations is answered with. */
  readonly none: string;
  /** Whether texts and answers are lower-cased. */
  readonly lowercase: boolean;
}

const line = z.object({
  id: z.string(),
  text: z.string(),
  relations: z.array(z.object({ head: z.string(), tail: z.string(), relation: z.string().optional() })),
});

/** @throws ConfigError where the template does not fit the relations. */
export function ownRelations(settings: OwnRelationSettings): RelationBenchmark {
  const { name, version, description, relations: known, none, lowercase } = settings;
  const template = relationTemplate(settings.template);
  const isNamed = settings.template.includes("{relation}");
  const only = known[0] ?? "";
  if (!isNamed && known.length > 1) {
    throw new ConfigError(`${name}: expected {relation} in the template of several relations, got none`);
  }
  const cased = (text: string): string => (lowercase ? text.toLowerCase() : text);
  return {
    name,
    version,
    description,
    extracts: "relations",
    answerForm: formOf(settings.template, known.map(cased), { none }),
    async read(folder, split, options = { includeEmpty: true }) {
      const path = `${folder}/${split}.jsonl`;
      const examples = (await readJsonLines(path, line)).map(({ id, text, relations }) => {
        const gold = relations.map((one) => ({ ...one, relation: one.relation ?? only }));
        checkNames(
          gold.map((one) => one.relation),
          known,
          `${path}: relation of "${id}"`,
        );
        return { id, text, gold };
      });
      return options.includeEmpty === false ? examples.filter((one) => one.gold.length > 0) : examples;
    },
    exampleOf: exampleOfText,
    source: (example) => cased(example.text),
    target: ({ gold }) => (gold.length === 0 ? none : template.format(lowercase ? gold.map(lowercased) : gold)),
    parse: (generated): Relation[] =>
      template.parse(answerOf(generated)).map((one) => (isNamed ? one : { ...one, relation: cased(only) })),
    evaluate(examples, answers, options) {
      checkAligned(examples, answers, name);
      return {
        failed: answers.filter((one, i) => one.length === 0 && examples[i]!.gold.length > 0).length,
        primary: "exact_micro_f1",
        figures: hardMatch(relationDocuments(examples, answers), options),
      };
    },
    scores(examples, answers) {
      checkAligned(examples, answers, name);
      return hardMatchScores(relationDocuments(examples, answers)).map(({ exact }) => exact);
    },
    baseline: { about: copying, answers: copyRelations },
  };
}
