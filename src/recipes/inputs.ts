/** What a recipe needs, and what to run first where it is not there. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { ConfigError } from "../errors.ts";
import type { Inputs } from "../train/objectives/objective.ts";
import { type RecipeInfo, recipeList, type RecipeName, scored, startOf } from "./list.ts";

type Needs = Pick<RecipeInfo, "model" | "teacher" | "data">;

const encoder =
  'pre-train one first: "galen train biomedbert-small --data … --output runs/small", then --model runs/small/model';

/** By what --model must be: a file that it has, and how it comes to be. */
const models: Readonly<Record<Exclude<RecipeInfo["model"], "optional">, readonly [string, string]>> = {
  encoder: ["config.json", encoder],
  any: ["config.json", `${encoder}; a BioGPT's will do too`],
  embeddings: [
    "modules.json",
    'make one first: "galen train embeddings-distil --model runs/small/model --teacher MODEL --data texts.jsonl ' +
      '--output runs/embeddings", then --model runs/embeddings/model',
  ],
  decoder: [
    "config.json",
    'take the published BioGPT, --model microsoft/biogpt, or pre-train one: "galen train biogpt-nano --data … --output runs/nano"',
  ],
};

/** Of a task of the user's own. */
const own: Needs = { model: "decoder", data: "a folder with train.jsonl, valid.jsonl and test.jsonl" };

const learnTokenizer = 'learn one first: "galen tokenizer train … --output runs/tokenizer"';
const teachers =
  "name a directory of Sentence Transformers, or one by its name: --teacher sentence-transformers/all-MiniLM-L6-v2";
const scoreLists =
  'score lists first: "galen rerank --model RERANKER lists.jsonl --output scored.jsonl"; "galen train reranker" makes one';

/** What a recipe needs, by option, and how it comes to be. */
export function needsOf({ model, teacher, data }: Needs): [option: string, expected: string, first: string][] {
  const needs: [string, string, string][] = [];
  if (model === "optional") needs.push(["tokenizer", "a tokenizer's directory", learnTokenizer]);
  else needs.push(["model", `the directory of ${startOf[model]}`, models[model][1]]);
  if (teacher === true) needs.push(["teacher", `the directory of ${startOf.embeddings}`, teachers]);
  if (data === scored) needs.push(["data", data, scoreLists]);
  return needs;
}

/** @throws ConfigError for an input that is missing, with what to run first. */
export function checkInputs(name: RecipeName | "own", inputs: Inputs): void {
  const info: Needs = name === "own" ? own : recipeList[name];
  const { model, teacher, data } = info;
  const missing = (option: string, expected: string, got: string, hint: string): never => {
    throw new ConfigError(`${name}: --${option}: expected ${expected}, got ${got}`, { hint });
  };
  const has = (folder: string | undefined, file: string): boolean =>
    folder !== undefined && existsSync(join(folder, file));
  const paths = typeof inputs.data === "string" ? [inputs.data] : inputs.data;
  if (model === "optional") {
    if (inputs.tokenizer !== undefined || inputs.model !== undefined) return;
    missing("tokenizer", "a directory", "none", learnTokenizer);
    return;
  }
  const [file, first] = models[model];
  if (!has(inputs.model, file)) missing("model", `the directory of ${startOf[model]}`, inputs.model ?? "none", first);
  if (teacher === true && !has(inputs.teacher, "modules.json")) {
    missing("teacher", `the directory of ${startOf.embeddings}`, inputs.teacher ?? "none", teachers);
  }
  if (paths.length === 1 && existsSync(paths[0]!)) return;
  const wanted = model === "decoder" ? data : `one file of JSON lines: ${data}`;
  const hint = name === "own" ? "see galen train --help" : `see galen train ${name} --help`;
  missing("data", wanted, paths.join(" ") || "none", data === scored ? scoreLists : hint);
}
