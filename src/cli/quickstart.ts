/** The quickstart on the terminal: what is done as it is done, texts, and what to try next. */
import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { quickstart, type QuickstartEvent, type QuickstartResult } from "../quickstart.ts";
import type { Context } from "./command.ts";
import { quoted } from "./output.ts";
import { duration, type Progress } from "./progress.ts";
import { curveOf, showProgress } from "./training.ts";

export interface QuickstartArguments {
  readonly data: readonly string[];
  readonly output: string;
  readonly prompt: readonly string[];
  readonly steps: number | undefined;
  readonly seed: number;
  readonly threads: number | undefined;
  readonly overwrite: boolean;
}

const sample = fileURLToPath(new URL("../../samples/pubmed-sample.xml", import.meta.url));
const prompts = ["Aspirin is", "The treatment of", "Patients with diabetes"];

/** What a person reads of an event; undefined for those that only move the progress line. */
function describe(event: QuickstartEvent): string | undefined {
  switch (event.type) {
    case "read":
      return `read      ${count(event.documents)} documents, ${count(event.characters)} characters${event.failures.length > 0 ? `; ${event.failures.length} could not be read` : ""}`;
    case "learned":
      return `learned   a vocabulary of ${count(event.vocabSize)} pieces`;
    case "tokenized":
      return `tokenized ${count(event.tokens.train.tokens)} tokens to train on, ${count(event.tokens.valid.tokens)} held out`;
    case "started":
      return `training  a BioGPT with ${(event.parameters / 1e6).toFixed(1)}M parameters`;
    case "evaluated":
      return `          step ${event.step}: held-out perplexity ${Math.exp(event.loss).toFixed(1)}`;
    default:
      return undefined;
  }
}

function count(value: number): string {
  return value.toLocaleString("en-US");
}

function mover(reading: Progress, training: Progress): (event: QuickstartEvent) => void {
  const show = showProgress(training, 2);
  return (event) => {
    if (event.type === "reading") reading.update({ done: event.documents, unit: "documents" });
    else if (event.type === "started" || event.type === "step") show(event);
  };
}

/** Runs `quickstart`; with --json every event and the result are lines on stdout. */
export async function runQuickstart(
  args: QuickstartArguments,
  { json, output, progress, signal }: Omit<Context<unknown>, "args">,
): Promise<void> {
  const started = performance.now();
  const inputs = args.data.length > 0 ? args.data : [relative(process.cwd(), sample)];
  const { steps, seed, threads, overwrite } = args;
  const isThere = !overwrite && existsSync(join(args.output, "quickstart.json"));
  if (isThere) output.note(`Galen goes on with the quickstart in ${args.output}/`);
  else {
    output.note(`Galen makes a language model from ${inputs.join(", ")}. Everything goes to ${args.output}/`);
    if (args.data.length === 0 && steps === undefined) output.note("it will take about two minutes on two cores");
  }
  const [reading, training] = [progress("reading"), progress("          ")];
  const move = mover(reading, training);
  const waiting: Promise<void>[] = [];
  const result = await quickstart({
    inputs,
    output: args.output,
    prompts: args.prompt.length > 0 ? args.prompt : prompts,
    steps,
    seed,
    threads,
    overwrite,
    signal,
    onEvent: (event) => {
      if (json) return void waiting.push(output.json(event));
      move(event);
      const text = describe(event);
      if (text === undefined) return;
      training.end();
      output.note(text);
    },
  });
  await Promise.all(waiting);
  training.end();
  const seconds = (performance.now() - started) / 1000;
  if (json) await output.json({ type: "result", ...result, secondsElapsed: seconds });
  else await output.write(summary(result, args.output, seconds, await curveOf(join(args.output, "run"))));
  if (result.stopped) process.exitCode = 1;
}

function summary(
  { perplexity, texts, tokenizer, model, stopped, found }: QuickstartResult,
  folder: string,
  seconds: number,
  curve: string | undefined,
): string {
  if (stopped) return `stopped; the same command goes on with what was made so far in ${folder}/\n`;
  const { before, after } = perplexity;
  const written = texts.flatMap(({ beam, sampled }) => ["", `  beam search  ${beam}`, `  sampling     ${sampled}`]);
  return [
    "",
    `Held-out perplexity: ${before.toFixed(1)} before training, ${after.toFixed(1)} after.`,
    ...(curve === undefined ? [] : [`Loss: ${curve}`]),
    ...written,
    "",
    found
      ? "Made by an earlier run (--overwrite starts over, --output DIR elsewhere):"
      : `Made in ${duration(seconds)}:`,
    `  ${model}  model, in Hugging Face's format`,
    `  ${tokenizer}  tokenizer`,
    "",
    "Try next:",
    `  npx galen generate --model ${quoted(model)} "Insulin is" --do-sample --seed 2`,
    `  npx galen evaluate perplexity --model ${quoted(model)} YOUR.xml`,
    "  npx galen quickstart --data YOUR.xml",
    "  npx galen train --help",
    "",
    "A model this small on so little text imitates; what it says is not medical knowledge.",
    "",
  ].join("\n");
}
