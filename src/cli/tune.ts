/** A model adapted to a benchmark before it is scored: an encoder gets a head, a decoder a soft prompt where there is a recipe. */
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { ConfigError } from "../errors.ts";
import { writeFileAtomically } from "../io/files.ts";
import { hasHead, headData } from "../recipes/heads.ts";
import { configure, isRecipe } from "../recipes/index.ts";
import { openModelFolder } from "../runtime/folder.ts";
import type { Benchmark } from "../tasks/benchmark.ts";
import { train } from "../train/train.ts";
import type { Context } from "./command.ts";
import { showProgress } from "./training.ts";

export interface TuneOptions {
  readonly model: string;
  /** Folder of the benchmark's data. */
  readonly data: string;
  /** Folder of the run. A model that is there already is taken. */
  readonly output: string;
  /** Of the form path=value. */
  readonly settings: readonly string[];
}

/**
 * The tuned model's directory.
 * @throws ConfigError where the benchmark has neither classes nor tags for an encoder, nor a recipe for a decoder.
 */
export async function tune(
  benchmark: Benchmark,
  { model, data, output, settings }: TuneOptions,
  { progress, signal }: Pick<Context<unknown>, "progress" | "signal">,
): Promise<string> {
  const made = join(output, "model");
  if (existsSync(made)) return made;
  const { family } = await openModelFolder(model);
  const { recipe, inputs } = family.causal
    ? promptInputs(benchmark, model, data)
    : await headInputs(benchmark, model, data, output);
  const config = await configure(recipe, { inputs, settings });
  const line = progress(`tuning for ${benchmark.name}`);
  try {
    const resume = existsSync(join(output, "run.json"));
    await train(config, { ...inputs, output, resume, signal, onEvent: showProgress(line) });
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

function promptInputs({ name }: Benchmark, model: string, data: string): Tuning {
  if (!isRecipe(name))
    throw new ConfigError(`${name}: expected a benchmark with a recipe for decoders, got one without`);
  return { recipe: name, inputs: { model, data } };
}

async function headInputs(benchmark: Benchmark, model: string, data: string, output: string): Promise<Tuning> {
  if (!hasHead(benchmark)) {
    throw new ConfigError(`${benchmark.name}: expected a benchmark of classes or tags, got one that no head answers`);
  }
  const path = join(output, "train.jsonl");
  const { recipe, lines } = headData(benchmark, await benchmark.read(data, "train"));
  await mkdir(output, { recursive: true });
  await writeFileAtomically(path, lines.map((one) => `${one}\n`).join(""));
  return { recipe, inputs: { model, data: path } };
}
