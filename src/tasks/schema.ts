/**
 * A task of the user's own from a small JSON file: relations between names, named entities, or labels of a text.
 * Examples are JSON lines in `FOLDER/SPLIT.jsonl`: `{"id", "text", "relations": [{"head", "tail", "relation"}]}`,
 * `{"id", "text", "entities": [{"start", "end", "type"}]}` (or IOB2 files) or `{"id", "text", "labels"}`.
 * Layout, prompt and settings are those of BioGPT's tasks of the same kind, unless the file says otherwise.
 */
import { z } from "zod";
import { ConfigError, DataError } from "../errors.ts";
import { hardMatch, type Relation } from "../metrics/hard-match.ts";
import { multiLabelFigures, singleLabelFigures } from "../metrics/labels.ts";
import { checkAligned, type Figure, type Report } from "../metrics/report.ts";
import { entityTask, type EntityTask } from "./entities.ts";
import { readJson, readJsonLines } from "../io/json.ts";
import { answerOf, lowercased, relationTemplate, wordsOf } from "./relations.ts";
import { commonHyperparameters, greedy, truncateAt, type Example, type Task } from "./task.ts";
import type { RelationTask } from "./triples.ts";

const common = {
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]*$/, "lower-case letters, digits and dashes")
    .default("custom"),
  version: z.string().default("1"),
  description: z.string().default("a task of one's own"),
  promptLength: z.int().min(0).max(64).default(9),
  maxPositions: z.int().min(16).default(1024),
  maxSourceTokens: z.int().min(1).optional(),
  learningRate: z.number().positive().default(1e-5),
  warmupUpdates: z.int().min(0).default(100),
  epochs: z.int().min(1).default(100),
};

const names = z
  .array(z.string().min(1))
  .min(1)
  .refine((all) => new Set(all).size === all.length, "each name once");

const relationSchema = z.strictObject({
  kind: z.literal("relation"),
  relations: names,
  template: z.string().default("the interaction between {head} and {tail} is {relation}"),
  /** What a text without relations is answered with. */
  none: z.string().default("no interaction is stated."),
  lowercase: z.boolean().default(true),
  ...common,
});

const classificationSchema = z.strictObject({
  kind: z.literal("classification"),
  labels: names,
  multiLabel: z.boolean().default(false),
  /** What stands before the label or labels. */
  lead: z.string().min(1).default("the type of this document is"),
  lowercase: z.boolean().default(false),
  ...common,
});

const entitySchema = z.strictObject({
  kind: z.literal("entities"),
  types: names.refine(
    (all) => new Set(all.map((one) => one.toLowerCase())).size === all.length,
    "differ in more than case",
  ),
  template: z.string().default("{name} is a {type}"),
  /** What a text without entities is answered with. */
  none: z.string().default("no entity is named."),
  lowercase: z.boolean().default(false),
  ...common,
  epochs: common.epochs.default(20),
});

/** What such a file may hold. */
const taskSchema = z.discriminatedUnion("kind", [relationSchema, entitySchema, classificationSchema]);
type EntityTaskSettings = z.output<typeof entitySchema>;
type RelationSettings = z.output<typeof relationSchema>;
type LabelSettings = z.output<typeof classificationSchema>;
type LabelExample = Example<readonly string[]>;

type Shared = Pick<
  Task,
  "name" | "version" | "description" | "promptLength" | "truncation" | "lowercase" | "hyperparameters" | "decoding"
>;

function shared(settings: RelationSettings | EntityTaskSettings | LabelSettings, maxSourceTokens: number): Shared {
  const { name, version, description, promptLength, lowercase, maxPositions, learningRate, warmupUpdates } = settings;
  const source = settings.maxSourceTokens ?? Math.round((maxSourceTokens / 1024) * maxPositions);
  if (source + promptLength >= maxPositions) {
    throw new ConfigError(
      `${name}: expected maxSourceTokens and promptLength below ${maxPositions} in sum, got ${source} and ${promptLength}`,
    );
  }
  return {
    name,
    version,
    description,
    promptLength,
    lowercase,
    truncation: truncateAt(source, maxPositions),
    hyperparameters: {
      ...commonHyperparameters,
      learningRate,
      warmupUpdates,
      stop: { epochs: settings.epochs },
      checkpoint: { averageLastEpochs: Math.min(5, settings.epochs) },
    },
    decoding: { ...greedy, maxLength: maxPositions },
  };
}

function knownOnly(found: Iterable<string>, known: readonly string[], where: string): void {
  for (const one of found) {
    if (known.includes(one)) continue;
    throw new DataError(`${where}: expected one of ${known.join(", ")}, got "${one}"`, {
      hint: "add it to the task's JSON file, or correct the example",
    });
  }
}

function reportOf(task: Shared, primary: string, failed: number, examples: number, figures: Figure[]): Report {
  return { task: task.name, version: task.version, examples, failed, primary, figures };
}

const relationLine = z.object({
  id: z.string(),
  text: z.string(),
  relations: z.array(z.object({ head: z.string(), tail: z.string(), relation: z.string().optional() })),
});

function relationTask(settings: RelationSettings): RelationTask {
  const template = relationTemplate(settings.template);
  const named = settings.template.includes("{relation}");
  const only = settings.relations[0] ?? "";
  if (!named && settings.relations.length > 1) {
    throw new ConfigError(`${settings.name}: expected {relation} in the template of several relations, got none`);
  }
  const task = shared(settings, 640);
  const cased = (text: string): string => (settings.lowercase ? text.toLowerCase() : text);
  const relations = named ? settings.relations.map(cased) : [];
  return {
    ...task,
    extracts: "relations",
    answerWords: [...wordsOf(settings.template, relations), settings.none],
    async read(folder, split, options = { includeEmpty: true }) {
      const path = `${folder}/${split}.jsonl`;
      const examples = (await readJsonLines(path, relationLine)).map(({ id, text, relations }) => {
        const gold = relations.map((one) => ({ ...one, relation: one.relation ?? only }));
        knownOnly(
          gold.map((one) => one.relation),
          settings.relations,
          `${path}: relation of "${id}"`,
        );
        return { id, text, gold };
      });
      return options.includeEmpty === false ? examples.filter((one) => one.gold.length > 0) : examples;
    },
    source: (example) => cased(example.text),
    target: ({ gold }) =>
      gold.length === 0 ? settings.none : template.format(settings.lowercase ? gold.map(lowercased) : gold),
    parse: (generated): Relation[] =>
      template.parse(answerOf(generated)).map((one) => (named ? one : { ...one, relation: cased(only) })),
    evaluate(gold, predictions, options) {
      checkAligned(gold, predictions, settings.name);
      const failed = predictions.filter((one, i) => one.length === 0 && (gold[i]?.gold.length ?? 0) > 0).length;
      const documents = gold.map((example, i) => ({ gold: example.gold, predicted: predictions[i] ?? [] }));
      return reportOf(task, "exact_micro_f1", failed, gold.length, hardMatch(documents, options));
    },
  };
}

const labelLine = z.object({ id: z.string(), text: z.string(), labels: z.array(z.string()) });

function labelTask(settings: LabelSettings): Task<LabelExample, string[]> {
  const task = shared(settings, 900);
  const { labels, multiLabel, lead } = settings;
  const cased = (text: string): string => (settings.lowercase ? text.toLowerCase() : text);
  const canonical = new Map(labels.map((label) => [cased(label), label]));
  if (multiLabel && labels.some((label) => label.includes("|"))) {
    throw new ConfigError(`${settings.name}: expected labels without "|", which parts them, got ${labels.join(", ")}`);
  }
  return {
    ...task,
    async read(folder, split) {
      const path = `${folder}/${split}.jsonl`;
      return (await readJsonLines(path, labelLine)).map(({ id, text, labels: gold }) => {
        knownOnly(gold, labels, `${path}: label of "${id}"`);
        if (!multiLabel && gold.length !== 1) {
          throw new DataError(`${path}: "${id}" expected one label, got ${gold.length}`, {
            hint: 'set "multiLabel": true in the task\'s JSON file',
          });
        }
        return { id, text, gold };
      });
    },
    source: (example) => cased(example.text),
    target: (example) => cased(`${lead} ${example.gold.join("|")}.`),
    parse(generated) {
      const answer = answerOf(generated);
      const at = answer.lastIndexOf(cased(lead));
      if (at === -1) return [];
      const rest = answer.slice(at + lead.length).trim();
      const found = multiLabel ? rest.split("|").map((one) => one.trim()) : [rest];
      return found.filter((one) => one !== "").map((one) => canonical.get(one) ?? one);
    },
    evaluate(gold, predictions, options = {}) {
      checkAligned(gold, predictions, settings.name);
      const truth = gold.map((one) => one.gold);
      const failed = predictions.filter((one, i) => one.length === 0 && truth[i]?.length !== 0).length;
      if (multiLabel) {
        const figures = multiLabelFigures(truth, predictions, { ...options, classes: labels });
        return reportOf(task, "micro_f1", failed, gold.length, figures);
      }
      const first = (all: readonly (readonly string[])[]): string[] => all.map((one) => one[0] ?? "failed");
      const figures = singleLabelFigures(first(truth), first(predictions), options);
      return reportOf(task, "accuracy", failed, gold.length, figures);
    },
  };
}

type OwnTask = RelationTask | EntityTask | Task<LabelExample, string[]>;

/** A task from settings. @throws ConfigError that names each setting that does not fit. */
export function taskFromSchema(schema: unknown, where = "task"): OwnTask {
  const result = taskSchema.safeParse(schema);
  if (!result.success) throw new ConfigError(`${where}: ${z.prettifyError(result.error)}`);
  switch (result.data.kind) {
    case "relation":
      return relationTask(result.data);
    case "entities":
      return entityTask(shared(result.data, 640), result.data);
    case "classification":
      return labelTask(result.data);
  }
}

/** A task from a JSON file. @throws DataError where it is no JSON, ConfigError where a setting does not fit. */
export async function loadTask(path: string): Promise<OwnTask> {
  return taskFromSchema(await readJson(path, z.unknown()), path);
}
