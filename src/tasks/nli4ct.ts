/**
 * NLI4CT (Jullien et al. 2023, 2024; SemEval tasks 7 and 2): does a statement follow from a section of one clinical trial's
 * record, or of two? Reads the organisers' training_data.zip (train, dev, the records) and gold_test.json of 2024, whose
 * 500 statements of their own are followed by 5,000 made from them. As in their evaluate.py, F1 of entailment is that
 * of the 500; faithfulness and consistency tell whether answers move with the meaning of the others.
 */
import * as z from "zod";
import { DataError } from "../errors.ts";
import { parsedJson, checked } from "../schema.ts";
import { readJson } from "../io/json.ts";
import { readZipTexts } from "../io/zip.ts";
import { mean } from "../metrics/counts.ts";
import { grouped } from "../metrics/groups.ts";
import { checkAligned, type EvaluateOptions, type Figure, figure } from "../metrics/report.ts";
import type { Benchmark, DataFiles, Example, Split } from "./benchmark.ts";
import { classBenchmark, oneLine, unread } from "./classes.ts";

export interface TrialStatement extends Example<string> {
  readonly statement: string;
  /** Of a statement that was made from another: whether the meaning was kept, and the id of the other. */
  readonly madeFrom?: { readonly kept: boolean; readonly id: string };
}

const sections = ["Intervention", "Eligibility", "Results", "Adverse Events"] as const;
const record = z.object(Object.fromEntries(sections.map((name) => [name, z.array(z.string())])));
const statement = z.object({
  Section_id: z.enum(sections),
  Primary_id: z.string(),
  Secondary_id: z.string().optional(),
  Statement: z.string(),
  Label: z.enum(["Entailment", "Contradiction"]),
  Causal_type: z.tuple([z.enum(["Preserving", "Altering"]), z.string()]).optional(),
});
const statements = z.record(z.string(), statement);

const archive = {
  path: "training_data.zip",
  sha256: "ed3d9819cfebd2d1d5d70fd786323c904b341470f8dc173af39946f70a0e5b9f",
};
const gold = { path: "gold_test.json", sha256: "fd2360a8a2077e9fc56e6c5e8128d698d05e0be9492682578b0768f0a222ed93" };
const data: DataFiles = {
  folder: "nli4ct",
  files: { train: [archive], valid: [archive], test: [archive, gold] },
  from: "Get training_data.zip and gold_test.json of https://github.com/ai-systems/Task-2-SemEval-2024.",
  licence: "none stated; the records are ClinicalTrials.gov's, public domain",
};

async function read(folder: string, split: Split): Promise<TrialStatement[]> {
  const path = `${folder}/${archive.path}`;
  const inside = split === "valid" ? "dev.json" : "train.json";
  const texts = await readZipTexts(path, (name) => name === inside || /^CT json\/NCT\d+\.json$/.test(name), data.from);
  const parsed = <S extends z.ZodType>(name: string, schema: S): z.output<S> => {
    const text = texts.get(name);
    if (text === undefined) throw new DataError(`${path}: expected a member "${name}", got none`, { hint: data.from });
    return checked(schema, parsedJson(text, `${path}: ${name}`), `${path}: ${name}`, DataError);
  };
  const all =
    split === "test" ? await readJson(`${folder}/${gold.path}`, statements, data.from) : parsed(inside, statements);
  const sectionOf = (id: string, name: (typeof sections)[number]): string =>
    (parsed(`CT json/${id}.json`, record)[name] ?? []).join("\n");
  // Those that F1 is of come first: a limit cuts the others.
  const ordered = Object.entries(all).sort(([, a], [, b]) => Number("Causal_type" in a) - Number("Causal_type" in b));
  return ordered.map(([id, one]) => {
    const primary = sectionOf(one.Primary_id, one.Section_id);
    const secondary = one.Secondary_id === undefined ? undefined : sectionOf(one.Secondary_id, one.Section_id);
    const records = [
      `Primary trial:\n${primary}`,
      ...(secondary === undefined ? [] : [`Secondary trial:\n${secondary}`]),
    ];
    const [causal, source] = one.Causal_type ?? [];
    return {
      id,
      // What was made of a statement is drawn together with it.
      document: source ?? id,
      text: `${one.Section_id}\n${records.join("\n\n")}`,
      statement: oneLine(one.Statement),
      gold: one.Label,
      ...(source === undefined ? {} : { madeFrom: { kept: causal === "Preserving", id: source } }),
    };
  });
}

const opening = "Clinical trials, section:";

const base = classBenchmark<TrialStatement>({
  name: "nli4ct",
  version: "1",
  description: "Whether a statement follows from a section of clinical trials' records (NLI4CT, SemEval 2024)",
  data,
  classes: { Entailment: "yes", Contradiction: "no" },
  positives: ["Entailment"],
  opening,
  cue: "Answer:",
  read,
  exampleOf(id, text) {
    const [claim, records, ...rest] = text.split("\t");
    if (claim === undefined || records === undefined || rest.length > 0) {
      throw new DataError(`text ${id}: expected a statement, a tab and a record, got "${text.slice(0, 60)}"`);
    }
    return { id, text: records.trim(), statement: claim.trim(), gold: "" };
  },
  prompt: ({ text, statement: claim }) =>
    `${opening} ${text}\n\nStatement: ${claim}\nDoes the statement follow from the records? Answer with yes or no.`,
  plain: ({ text, statement: claim }) => `${claim} ${oneLine(text)}`,
});

/** Answers to statements made from others: moved where the meaning was altered, kept where it was. */
function movementFigures(
  examples: readonly TrialStatement[],
  answers: readonly string[],
  options?: EvaluateOptions,
): Figure[] {
  const byId = new Map(examples.map(({ id, gold: label }, i) => [id, { label, answer: answers[i]! }]));
  const made = examples.flatMap(({ madeFrom }, i) => {
    const source = madeFrom && byId.get(madeFrom.id);
    return source === undefined ? [] : [{ ...madeFrom!, answer: answers[i]!, source }];
  });
  type Made = (typeof made)[number];
  const share = (name: string, label: string, some: readonly Made[], isRight: (one: Made) => boolean): Figure[] => {
    const about = { name, label, kind: "published" } as const;
    const units = grouped(
      some,
      some.map(({ id }) => id),
    );
    return units.length === 0
      ? []
      : [figure(about, units, (sample) => mean(sample.flat().map((one) => Number(isRight(one)))), options)];
  };
  const [kept, altered] = [made.filter((one) => one.kept), made.filter((one) => !one.kept)];
  const faithful = "altered statements whose answer is not the original's label";
  const consistent = "reworded statements answered as the original is";
  return [
    ...share("faithfulness", faithful, altered, ({ answer, source }) => answer !== source.label),
    ...share("consistency", consistent, kept, ({ answer, source }) => answer === source.answer),
  ];
}

/** The statements that F1 is of. */
const ownOnes = <T>(examples: readonly TrialStatement[], of: readonly T[]): T[] =>
  of.filter((_, i) => examples[i]!.madeFrom === undefined);

export const nli4ct: Benchmark<TrialStatement, string> = {
  ...base,
  // The records are public, and what makes the question is the statement.
  contaminatedBy: ({ statement: claim }) => claim,
  evaluate(examples, answers, options) {
    checkAligned(examples, answers, "nli4ct");
    const { figures } = base.evaluate(ownOnes(examples, examples), ownOnes(examples, answers), options);
    const failed = answers.filter((answer) => answer === unread).length;
    return { failed, primary: "f1", figures: [...figures, ...movementFigures(examples, answers, options)] };
  },
  scores: (examples, answers) =>
    base.scores!(examples, answers).map((one, i) =>
      examples[i]!.madeFrom === undefined ? one : { tp: 0, fp: 0, fn: 0 },
    ),
};
