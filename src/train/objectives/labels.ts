/** Classes of texts, one each or any number, and tags of words: the head's own loss on whatever network is below it. */
import * as z from "zod";
import { DataError } from "../../errors.ts";
import { labelLoss } from "../../models/graphs.ts";
import { configText } from "../../models/index.ts";
import { makeBatch } from "../../runtime/batch.ts";
import { checkLabels, type Labelled, type LabelledTexts, readLabelled } from "../../tasks/labelled.ts";
import { readTagged, type Tagged } from "../../tasks/ner.ts";
import { encodeCut, firstPieces } from "../../tokenizers/words.ts";
import { saveModel } from "../checkpoint.ts";
import { type Inputs, type Objective, onePath, startFolder } from "./objective.ts";
import { openHeadSource, type Source } from "./source.ts";
import { exampleSets, float32, int64List, readSplits, type Splits } from "./texts.ts";

export const classesSettings = z.strictObject({
  kind: z.literal("classes"),
  documentTokens: z.int().positive().describe("Most tokens of a text"),
});
export const tagsSettings = z.strictObject({
  kind: z.literal("tags"),
  documentTokens: z.int().positive().describe("Most tokens of a sentence; words beyond have no label"),
});

/** What both have in common. */
function headObjective(
  source: Source,
  gathered: boolean,
): Pick<Objective, "start" | "order" | "reduction" | "unit" | "dropoutStream" | "loss" | "save"> &
  Pick<Objective, typeof Symbol.asyncDispose> {
  const { family, config, tokenizer } = source;
  const files = new Map(tokenizer.files()).set("config.json", configText(config));
  return {
    start: source,
    // Not by length, with which a class may go.
    order: "random",
    reduction: "sum",
    unit: "examples",
    dropoutStream: 1,
    loss: (g) => labelLoss(g, family, config, { masked: true, gathered }),
    save: (folder, weights) => saveModel(folder, weights, files),
    async [Symbol.asyncDispose]() {},
  };
}

/** @throws DataError where there are too few labels, or the held-out texts have others. */
export async function openClasses(
  { documentTokens }: z.infer<typeof classesSettings>,
  inputs: Inputs,
): Promise<Objective> {
  const { multiLabel, labels, splits } = await readClasses(inputs);
  const problem = multiLabel ? "multi_label_classification" : "single_label_classification";
  const source = await openHeadSource(startFolder(inputs), "sequence", labels, problem);
  const { config, tokenizer } = source;
  return {
    ...headObjective(source, false),
    ...exampleSets(
      splits,
      ({ text }) => text.length,
      (texts) => {
        const ids = texts.map(({ text }) => encodeCut(tokenizer, text, documentTokens).ids);
        const targets = texts.flatMap((one) => labels.map((label) => Number(one.labels.includes(label))));
        const classes = multiLabel
          ? float32(targets, [texts.length, labels.length])
          : int64List(texts.map((one) => labels.indexOf(one.labels[0]!)));
        const feeds = { ...makeBatch({ ids }, config).tensors, labels: classes };
        return { feeds, count: texts.length * (multiLabel ? labels.length : 1), work: texts.length };
      },
    ),
  };
}

interface Classes {
  readonly multiLabel: boolean;
  /** Those of the training texts, sorted. */
  readonly labels: readonly string[];
  readonly splits: Splits<Labelled>;
}

async function readClasses(inputs: Inputs): Promise<Classes> {
  const path = onePath(inputs);
  const found = new Map<string, LabelledTexts>();
  const splits = await readSplits(inputs, async (file) => {
    const texts = await readLabelled(file, inputs.columns);
    found.set(file, texts);
    return texts.examples;
  });
  const { multiLabel } = found.get(path)!;
  const labels = [...new Set(splits.train.flatMap((one) => one.labels))].sort();
  if (labels.length < (multiLabel ? 1 : 2)) {
    const expected = `texts of at least ${multiLabel ? "one label" : "two labels"}`;
    throw new DataError(`${path}: expected ${expected}, got ${labels.length}`);
  }
  const { valid } = inputs;
  if (valid !== undefined && found.get(valid)!.multiLabel !== multiLabel) {
    throw new DataError(`${valid}: expected "${multiLabel ? "labels" : "label"}" as in ${path}`);
  }
  splits.valid?.forEach((one, i) => checkLabels(one, labels, `${valid}: text ${i + 1}`));
  return { multiLabel, labels, splits };
}

/** The first piece of each word has its label, the others none. @throws DataError where held-out sentences have others. */
export async function openTags({ documentTokens }: z.infer<typeof tagsSettings>, inputs: Inputs): Promise<Objective> {
  const splits = await readSplits(inputs, readTagged);
  const labels = tagLabels(splits, inputs.valid);
  const source = await openHeadSource(startFolder(inputs), "token", labels);
  const { config, tokenizer } = source;
  return {
    ...headObjective(source, true),
    ...exampleSets(
      splits,
      ({ tokens }) => tokens.length,
      (sentences) => {
        const rows = sentences.map(({ tokens }) => firstPieces(tokenizer, tokens, documentTokens));
        const width = Math.max(...rows.map(({ ids }) => ids.length));
        const at = rows.flatMap(({ first }, row) => first.map((place) => row * width + place));
        const classes = rows.flatMap(({ first }, row) =>
          first.map((_, word) => labels.indexOf(sentences[row]!.tags[word]!)),
        );
        const { tensors } = makeBatch({ ids: rows.map(({ ids }) => ids) }, config);
        const feeds = { ...tensors, at: int64List(at), labels: int64List(classes) };
        return { feeds, count: at.length, work: sentences.length };
      },
    ),
  };
}

/** "O", and B and I of every type of the training sentences. */
function tagLabels({ train, valid }: Splits<Tagged>, validPath: string | undefined): string[] {
  const seen = train.flatMap(({ tags }) => tags).filter((tag) => tag !== "O");
  const parts = seen.flatMap((tag) => ["B", "I"].map((prefix) => prefix + tag.slice(1)));
  const labels = [...new Set(["O", ...parts])].sort();
  valid?.forEach(({ tags }, i) => {
    const unknown = tags.find((tag) => !labels.includes(tag));
    if (unknown === undefined) return;
    throw new DataError(`${validPath}: sentence ${i + 1}: expected tags among ${labels.join(", ")}; got "${unknown}"`);
  });
  return labels;
}
