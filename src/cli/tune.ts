/**
 * A model adapted to a benchmark before it is scored: an encoder gets a head, a decoder a soft prompt where there is a
 * recipe, or adapters (LoRA, Hu et al. 2021) that learn the answers to prompts as it will be asked them.
 */
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomically } from "../io/files.ts";
import { hasHead, headData } from "../recipes/heads.ts";
import { configure, isRecipe } from "../recipes/index.ts";
import { openModelFolder } from "../runtime/folder.ts";
import { withShots } from "../eval/shots.ts";
import { instructed, type SuiteEntry } from "../eval/suite.ts";
import type { Benchmark } from "../tasks/benchmark.ts";
import type { TrainEvent } from "../train/loop.ts";
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
  /** Of decoders: adapters alone, in place of a soft prompt. */
  readonly lora: boolean;
  /** Of these, how questions are put: as turns, where shots would be. */
  readonly chat: boolean;
}

/**
 * The tuned model's directory; the model as it is where the benchmark has neither classes nor tags for an encoder, nor a
 * recipe for a decoder.
 */
export async function tune(
  benchmark: SuiteEntry,
  { model, data, output, settings: given, lora, chat }: TuneOptions,
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
  if (family.causal && !lora && !isRecipe(benchmark.name)) return asItIs("recipe");
  if (!family.causal && !hasHead(benchmark)) return asItIs("head");
  const learnsAnswers = family.causal && lora;
  const { recipe, inputs } = learnsAnswers
    ? await answerInputs(benchmark, { model, data, output, chat })
    : family.causal
      ? { recipe: benchmark.name, inputs: { model, data } }
      : await headInputs(benchmark, model, data, output);
  const settings = learnsAnswers ? [...ofAdapters, ...given] : given;
  const config = await configure(recipe, { inputs, settings });
  const line = progress(`tuning for ${benchmark.name}`);
  const show = showProgress(line);
  const onEvent = (event: TrainEvent): void => {
    if (event.type === "started") for (const text of event.notes) terminal.note(`${benchmark.name}: ${text}`);
    show(event);
  };
  try {
    const resume = existsSync(join(run, "run.json"));
    await train(config, { ...inputs, output: run, resume, signal, onEvent });
  } finally {
    line.end();
  }
  signal.throwIfAborted();
  return made;
}

/** Adapters want about ten times the rate of all weights; a prompt with an abstract is longer than most exchanges. */
const ofAdapters = ["trainable=lora", "schedule.peak=2e-4", "objective.maxTokens=2048"];

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

/** Prompts and answers of the training examples, without shots, in the words and turns of the evaluation. */
async function answerInputs(
  benchmark: Benchmark,
  { model, data, output, chat }: Pick<TuneOptions, "model" | "data" | "output" | "chat">,
): Promise<Tuning> {
  const told = instructed(benchmark);
  const asked = await withShots(told, { shots: 0, data, as: chat ? "turns" : undefined });
  const lines = (await asked.read(data, "train")).map((one) => {
    const answer = asked.target(one);
    if (!chat) return { prompt: asked.source(one), completion: answer };
    return { prompt: asked.turns!(one), completion: [{ role: "assistant", content: answer.trimStart() }] };
  });
  const path = join(output, "train.jsonl");
  await mkdir(output, { recursive: true });
  await writeFileAtomically(path, lines.map((one) => `${JSON.stringify(one)}\n`).join(""));
  return { recipe: "instruct", inputs: { model, data: path } };
}
