/**
 * Named entities by generation: the answer lists them in the text's order, "NAME is a TYPE; NAME is a TYPE.". BioGPT's
 * author suggested marking them in a copy of the text, "<drug> Aspirin </drug> …" (microsoft/BioGPT issue 105). A list
 * was chosen instead: BioGPT's own ablation finds sentences better than marks (BC5CDR 44.98 against 42.85, arXiv
 * 2210.10341 table 9), Moses makes three tokens of every "<" word ">", a copy costs the whole text to write and fails
 * where one word is miscopied, and the mark's only gain, which of several places is meant, is worth at most 0.25 points
 * of F1 (the ceilings in entities.test.ts). Case is kept: it distinguishes genes from words. Left out: entities within entities.
 */
import { entityCounts, entityFigures, type EntityPart } from "../metrics/entity-figures.ts";
import { checkAligned, detail } from "../metrics/report.ts";
import { copyEntities, copying } from "./baselines.ts";
import { type Benchmark, exampleOfText } from "./benchmark.ts";
import { type EntityExample, readEntities } from "./entity-files.ts";
import { type LocatedEntity, locateEntities, type NamedEntity, taggedEntities, tagsOf } from "./entity-places.ts";
import type { OffsetUnit } from "./offset-units.ts";
import { type Range, wordsIn } from "./places.ts";
import { answerOf, formOf, nameTemplate } from "./relations.ts";

export type EntityBenchmark = Benchmark<EntityExample, readonly NamedEntity[]>;

export interface EntitySettings {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly types: readonly string[];
  /** Whether texts and answers are lower-cased. */
  readonly lowercase: boolean;
  readonly template: string;
  /** What a text without entities is answered with. */
  readonly none: string;
  /** What the places in JSON lines count. Default: found by the entities. */
  readonly offsets?: OffsetUnit | undefined;
}

/** The usual sentences. */
export const entitySentences = { template: "{name} is a {type}", none: "no entity is named." } as const;

/** @throws ConfigError unless the template has {name} and {type} once each. */
export function entityBenchmark(settings: EntitySettings): EntityBenchmark {
  const { name, version, description, types, lowercase, none, offsets } = settings;
  const template = nameTemplate(settings.template);
  const cased = (text: string): string => (lowercase ? text.toLowerCase() : text);
  const canonical = new Map(types.map((type) => [type.toLowerCase(), type]));
  const noneText = `${none.trim().replace(/\.$/, "")}.`.toLowerCase();
  const typeOf = (type: string): string => canonical.get(type.toLowerCase()) ?? type;
  return {
    name,
    version,
    description,
    extracts: "entities",
    answerForm: formOf(cased(settings.template), types.map(cased), { none }),
    read: (folder, split) => readEntities(folder, split, types, offsets),
    exampleOf: exampleOfText,
    source: (example) => cased(example.text),
    target({ text, gold }) {
      const ordered = [...gold].sort((a, b) => a.start - b.start || b.end - a.end);
      const named = ordered.map(({ start, end, type }) => ({
        name: text.slice(start, end).replace(/\s+/g, " "),
        type,
      }));
      return named.length === 0 ? none : cased(template.format(named));
    },
    parse(generated) {
      const answer = answerOf(generated);
      const found = template.parse(answer);
      if (found.length === 0) return `${answer}.`.toLowerCase() === noneText ? [] : unread;
      return found.map((one) => ({ name: one.name, type: typeOf(one.type) }));
    },
    tags: {
      words: (example) => wordPlaces(example).map(([start, end]) => example.text.slice(start, end)),
      answer(example, tags) {
        const typed = types.length === 1 ? tags.map((tag) => tag.replace(/^[BI]$/, `$&-${types[0]}`)) : tags;
        const found = taggedEntities(example.text, wordPlaces(example), typed);
        return found.map((one) => ({ ...one, type: typeOf(one.type) }));
      },
      of: (example) => tagsOf(wordPlaces(example), example.gold),
    },
    evaluate(examples, answers, options) {
      checkAligned(examples, answers, name);
      const located = locatedIn(examples, answers);
      // A name that stands nowhere in the text is a false positive.
      const nowhere = located.flat().filter(({ at }) => at === null).length;
      return {
        failed: answers.filter((one) => one === unread).length,
        primary: "f1",
        figures: [
          ...entityFigures(partsOf(examples, located), types, options),
          detail("false_names", "answered names that stand nowhere in their text", nowhere, "count"),
        ],
      };
    },
    scores(examples, answers) {
      checkAligned(examples, answers, name);
      return partsOf(examples, locatedIn(examples, answers)).map((part) => entityCounts(part));
    },
    baseline: { about: copying, answers: copyEntities },
  };
}

/** The answer where nothing could be read, which is not the answer that there is nothing. */
const unread: readonly NamedEntity[] = Object.freeze([]);

const wordPlaces = ({ text, words }: EntityExample): readonly Range[] => words ?? wordsIn(text);

const locatedIn = (
  examples: readonly EntityExample[],
  answers: readonly (readonly NamedEntity[])[],
): LocatedEntity[][] => examples.map(({ text }, i) => locateEntities(text, answers[i]!));

const partsOf = (examples: readonly EntityExample[], located: readonly LocatedEntity[][]): EntityPart[] =>
  examples.map(({ id, document = id, gold }, i) => ({
    document,
    gold: gold.map(({ type, start, end }) => ({ type, key: `${start} ${end}` })),
    answered: located[i]!.map((one) => ({
      type: one.type,
      key: one.at === null ? `nowhere ${one.name}` : `${one.at.start} ${one.at.end}`,
    })),
  }));
