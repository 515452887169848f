/**
 * Training data as JSON lines: lists `{query, documents, scores?, transform?}`, texts `{text}`, texts with classes
 * (`tasks/labelled.ts`), and sentences with IOB2 tags, which may be IOB2 files too (`tasks/ner.ts`).
 */
import * as z from "zod";
import { readJsonLines } from "../io/json.ts";
import { type LabelledTexts, readLabelled } from "../tasks/labelled.ts";
import { readLists, type ScoredList } from "../tasks/lists.ts";
import { readTagged, type Tagged } from "../tasks/ner.ts";
import type { Objective } from "./config.ts";

export interface Examples {
  readonly texts?: readonly string[];
  readonly lists?: readonly ScoredList[];
  readonly labelled?: LabelledTexts;
  readonly tagged?: readonly Tagged[];
}

/** Kinds of training whose lists need scores. */
const needScores: ReadonlySet<Objective["kind"]> = new Set(["margin", "divergence", "late-divergence"]);

/**
 * Examples of a file as an objective takes them.
 * @throws DataError that names the line, or says what to run first where scores are missing or were transformed unlike.
 */
export async function readExamples(path: string, objective: Objective, documents: number): Promise<Examples> {
  const { kind } = objective;
  switch (kind) {
    case "distil":
      return { texts: (await readJsonLines(path, z.object({ text: z.string() }))).map((one) => one.text) };
    case "classes":
      return { labelled: await readLabelled(path) };
    case "tags":
      return { tagged: await readTagged(path) };
    default: {
      const shares = objective.kind === "pairs" && objective.loss === "binary";
      return { lists: await readLists(path, { documents, scored: needScores.has(kind), shares }) };
    }
  }
}
