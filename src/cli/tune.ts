/** A model adapted to a benchmark before it is scored: an encoder gets a head, a decoder a soft prompt where there is a recipe. */
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomically } from "../io/files.ts";
import { hasHead, headData } from "../recipes/heads.ts";
import { configure, isRecipe } from "../recipes/index.ts";
import { openModelFolder } from "../runtime/folder.ts";
import type { SuiteEntry } from "../eval/suite.ts";
import type { Benchmark } from "../tasks/benchmark.ts";
import { train } from "../train/train.ts";
import type { Context } from "./command.ts";
import { showProgress } from "./training.ts";

export interface TuneOptions {
  readonly model: string;
  /** Folder of the benchmark's data. */
  readonly data: string;
  /** Folder of the data made for it and of the run. A model that is there already is taken. */
  readonly output: string;
  /** Of the form path=value. */
  readonly settings: readonly string[];
}

/**
 * The tuned model's directory; the model as it is where the benchmark has neither classes nor tags for an encoder, nor a
 * recipe for a decoder.
 */
export async function tune(
  benchmark: SuiteEntry,
  { model, data, output, settings }: TuneOptions,
  { progress, signal, output: terminal }: Pick<Context<unknown>, "progress" | "signal" | "output">,
): Promise<string> {
  const run = join(output, "run");
  const made = join(run, "model");
  if (existsSync(made)) return made;
  const asItIs = (lacking: string): string => {
    terminal.note(`${benchmark.name}: no ${lacking} for it: the model is asked as it is`);
    return model;
  };
  if ("measure" in benchmark) return asItIs("training");
  const { family } = await openModelFolder(model);
  if (family.causal && !isRecipe(benchmark.name)) return asItIs("recipe");
  if (!family.causal && !hasHead(benchmark)) return asItIs("head");
  const { recipe, inputs } = family.causal
    ? { recipe: benchmark.name, inputs: { model, data } }
    : await headInputs(benchmark, model, data, output);
  const config = await configure(recipe, { inputs, settings });
  const line = progress(`tuning for ${benchmark.name}`);
  try {
    const resume = existsSync(join(run, "run.json"));
    await train(config, { ...inputs, output: run, resume, signal, onEvent: showProgress(line) });
  } finally {
    line.end();
  }
  signal.throwIfAborted();
  return made;
}

interface Tuning {
  readonly recipe: string;
  readonly inputs: { readonly model: string; readonly data: string };
}

async function headInputs(benchmark: Benchmark, model: string, data: string, output: string): Promise<Tuning> {
  const path = join(output, "train.jsonl");
  const { recipe, lines } = headData(benchmark, await benchmark.read(data, "train"));
  await mkdir(output, { recursive: true });
  await writeFileAtomically(path, lines.map((one) => `${one}\n`).join(""));
  return { recipe, inputs: { model, data: path } };
}
