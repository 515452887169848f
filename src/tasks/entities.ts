/**
 * Named entities by generation: the answer lists them in the text's order, "NAME is a TYPE; NAME is a TYPE.". BioGPT's
 * author suggested marking them in a copy of the text, "<drug> Aspirin </drug> …" (microsoft/BioGPT issue 105). A list
 * was chosen instead: BioGPT's own ablation finds sentences better than marks (BC5CDR 44.98 against 42.85, arXiv
 * 2210.10341 table 9), Moses makes three tokens of every "<" word ">", a copy costs the whole text to write and fails
 * where one word is miscopied, and the mark's only gain, which of several places is meant, is worth at most 0.25 points
 * of F1 (the ceilings in entities.test.ts). Case is kept: it tells genes from words. Left out: entities within entities.
 */
import { existsSync } from "node:fs";
import { z } from "zod";
import { DataError } from "../errors.ts";
import { countSets, microF1, scores, sumCounts, type Counts } from "../metrics/counts.ts";
import { entitiesOf } from "../metrics/entities.ts";
import { checkAligned, figure, type EvaluateOptions, type Figure, type Report } from "../metrics/report.ts";
import { joinTokens } from "./entity-text.ts";
import { readJsonLines } from "../io/json.ts";
import { readNer } from "./ner.ts";
import { findName, type Range, searchable } from "./places.ts";
import { answerOf, nameTemplate } from "./relations.ts";
import type { Example, Split, Task } from "./task.ts";

export interface NamedEntity {
  readonly name: string;
  readonly type: string;
}

/** UTF-16 code units of the example's text, the end exclusive. */
export interface EntityPlace {
  readonly start: number;
  readonly end: number;
  readonly type: string;
}

export type EntityExample = Example<readonly EntityPlace[]>;
export type EntityTask = Task<EntityExample, NamedEntity[]>;

export interface EntitySettings {
  readonly types: readonly string[];
  readonly template: string;
  /** What a text without entities is answered with. */
  readonly none: string;
}

type About = Omit<
  EntityTask,
  "answerWords" | "extracts" | "read" | "source" | "target" | "parse" | "evaluate" | "published"
>;

/** @throws ConfigError where the template has not {name} and {type} once each. */
export function entityTask(about: About, { types, template: sentence, none }: EntitySettings): EntityTask {
  const template = nameTemplate(sentence);
  const cased = (text: string): string => (about.lowercase ? text.toLowerCase() : text);
  const canonical = new Map(types.map((type) => [type.toLowerCase(), type]));
  return {
    ...about,
    extracts: "entities",
    answerWords: [...template.words.map(cased), ...types.map(cased), ";", ".", none],
    read: (folder, split) => readEntities(folder, split, types),
    source: (example) => cased(example.text),
    target({ text, gold }) {
      const ordered = [...gold].sort((a, b) => a.start - b.start || b.end - a.end);
      const named = ordered.map(({ start, end, type }) => ({
        name: text.slice(start, end).replace(/\s+/g, " "),
        type,
      }));
      return named.length === 0 ? none : cased(template.format(named));
    },
    parse: (generated) =>
      template.parse(answerOf(generated)).map(({ name, type }) => ({
        name,
        type: canonical.get(type.toLowerCase()) ?? type,
      })),
    evaluate: (gold, predictions, options) => evaluate(about, types, { gold, predictions, options }),
  };
}

/** A name with where it stands; null: not in the text. */
export interface LocatedEntity extends NamedEntity {
  readonly at: { readonly start: number; readonly end: number; readonly text: string } | null;
}

/**
 * Places of names that are listed in the text's order: each has the next place after the one before, where there is
 * one, else the first that no name of its type has yet; written as it is named, where it is so anywhere. A name that is
 * listed more often than the text has it is left out.
 */
export function locateEntities(text: string, entities: readonly NamedEntity[]): LocatedEntity[] {
  const searched = searchable(text);
  const located: LocatedEntity[] = [];
  let after = 0;
  for (const { name, type } of entities) {
    const all = findName(name, searched);
    const bare = name.replace(/\s+/g, "");
    const exact = all.filter(([start, end]) => text.slice(start, end).replace(/\s+/g, "") === bare);
    const taken = ([start, end]: Range): boolean =>
      located.some((one) => one.at?.start === start && one.at.end === end && one.type === type);
    const free = (exact.length > 0 ? exact : all).filter((range) => !taken(range));
    const place = free.find(([start]) => start >= after) ?? free[0];
    if (place !== undefined) {
      const [start, end] = place;
      located.push({ name, type, at: { start, end, text: text.slice(start, end) } });
      after = end;
    } else if (all.length === 0) located.push({ name, type, at: null });
  }
  return located;
}

const line = z.object({
  id: z.string(),
  text: z.string(),
  entities: z.array(z.object({ start: z.int().min(0), end: z.int().min(1), type: z.string() })),
});

/** SPLIT.jsonl with places in text, or IOB2 in train.tsv, dev.tsv and test.tsv. */
async function readEntities(folder: string, split: Split, types: readonly string[]): Promise<EntityExample[]> {
  const canonical = new Map(types.map((type) => [type.toLowerCase(), type]));
  const typeOf = (type: string, where: string): string => {
    const known = type === "_" && types.length === 1 ? types[0] : canonical.get(type.toLowerCase());
    if (known !== undefined) return known;
    throw new DataError(`${where}: expected an entity of type ${types.join(", ")}; got "${type}"`, {
      hint: "add the type to the task's JSON file; a bare B or I is for tasks of one type",
    });
  };
  const path = `${folder}/${split}.jsonl`;
  if (!existsSync(path)) {
    return (await readNer(folder, split)).map(({ id, document, tokens, tags }) => {
      const { text, places } = joinTokens(tokens);
      const gold = entitiesOf(tags).map(({ type, start, end }) => ({
        start: places[start]![0],
        end: places[end]![1],
        type: typeOf(type, `${folder}: sentence ${id} of ${split}`),
      }));
      return document === undefined ? { id, text, gold } : { id, document, text, gold };
    });
  }
  return (await readJsonLines(path, line)).map(({ id, text, entities }) => {
    const gold = entities.map(({ start, end, type }) => {
      if (start >= end || end > text.length) {
        throw new DataError(`${path}: "${id}": expected 0 ≤ start < end ≤ ${text.length}, got ${start} and ${end}`);
      }
      return { start, end, type: typeOf(type, `${path}: "${id}"`) };
    });
    return { id, text, gold };
  });
}

interface Answers {
  readonly gold: readonly EntityExample[];
  readonly predictions: readonly (readonly NamedEntity[])[];
  readonly options: EvaluateOptions | undefined;
}

const keyOf = ({ start, end, type }: EntityPlace): string => `${start} ${end} ${type}`;

/** Strict scores: type and both ends are right. A name that stands nowhere in the text is a false positive. */
function evaluate(about: About, types: readonly string[], { gold, predictions, options }: Answers): Report {
  checkAligned(gold, predictions, about.name);
  const perType = new Map<string, Counts[]>(types.map((type) => [type, []]));
  const documents = new Map<string, Counts[]>();
  let nowhereCount = 0;
  for (const [i, example] of gold.entries()) {
    const located = locateEntities(example.text, predictions[i] ?? []);
    nowhereCount += located.filter(({ at }) => at === null).length;
    const answered = ({ name, type, at }: LocatedEntity): string =>
      at === null ? `${name}\n${type}` : keyOf({ ...at, type });
    const counted = (wanted: (one: { type: string }) => boolean): Counts =>
      countSets(located.filter(wanted).map(answered), example.gold.filter(wanted).map(keyOf));
    const document = example.document ?? example.id;
    documents.set(document, [...(documents.get(document) ?? []), counted(() => true)]);
    for (const [type, counts] of perType) counts.push(counted((one) => one.type === type));
  }
  const units = [...documents.values()].map(sumCounts);
  const total = scores(sumCounts(units));
  const plain = (name: string, label: string, kind: Figure["kind"], value: number): Figure => ({
    name,
    label,
    kind,
    value,
  });
  const ofTypes = [...perType].map(([type, counts]) => ({ type, f1: microF1(counts) }));
  const macro = ofTypes.reduce((sum, { f1 }) => sum + f1, 0) / types.length;
  const typed = [
    plain("macro_f1", `mean F1 of ${types.length} types`, "sound", macro),
    ...ofTypes.map(({ type, f1 }) => plain(`f1_${type}`, `F1 of ${type}`, "detail", f1)),
  ];
  return {
    task: about.name,
    version: about.version,
    examples: gold.length,
    failed: predictions.filter((one, i) => one.length === 0 && gold[i]!.gold.length > 0).length,
    primary: "f1",
    figures: [
      figure({ name: "f1", label: "entity F1, type and both ends right", kind: "sound" }, units, microF1, options),
      plain("precision", "precision of f1", "sound", total.precision),
      plain("recall", "recall of f1", "sound", total.recall),
      ...(types.length > 1 ? typed : []),
      plain("false_names", "answered names that stand nowhere in their text", "detail", nowhereCount),
    ],
  };
}
