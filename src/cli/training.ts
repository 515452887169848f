/** A training run on the terminal: progress, evaluations and samples as they come, and where everything lies. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "../train/config.ts";
import type { RunResult, TrainEvent } from "../train/loop.ts";
import { train, type TrainOptions } from "../train/train.ts";
import type { Context } from "./command.ts";
import { readMetrics } from "../train/metrics-log.ts";
import { lossLine } from "./charts.ts";
import { createEstimator } from "./estimate.ts";
import { quoted } from "./output.ts";
import { duration, type Progress } from "./progress.ts";

type Terminal = Pick<Context<unknown>, "json" | "output" | "progress">;
type Started = Extract<TrainEvent, { type: "started" }>;

/** What a person reads of an event; undefined for those that only move the progress line. */
function describe(event: TrainEvent, { recipe }: Config): string | undefined {
  switch (event.type) {
    case "started": {
      const { parameters, examples, heldOut, step, steps, epochs, notes } = event;
      const held = heldOut === 0 ? "" : ` (${count(heldOut)} held out)`;
      const passes = counted(epochs, "epoch");
      const from = step === 0 ? "" : `, from ${count(step)}`;
      return [
        `${recipe}: ${sizeOf(parameters)} parameters learn from ${counted(examples, "example")}${held}; ${counted(steps, "update")}${from}, ${passes}`,
        ...notes,
      ].join("\n");
    }
    case "evaluated": {
      const figure = event.perplexity === undefined ? "" : `perplexity ${event.perplexity.toFixed(2)}, `;
      const more = Object.entries(event.figures ?? {}).map(([name, value]) => `, ${name} ${short(value)}`);
      return `update ${event.step}: held-out ${figure}loss ${event.loss.toFixed(4)}${more.join("")}`;
    }
    case "sampled":
      return event.texts.map((text) => `update ${event.step}: ${text}`).join("\n");
    default:
      return undefined;
  }
}

/** Three digits or so. */
const short = (value: number): string => (Math.abs(value) < 100 ? value.toFixed(3) : value.toFixed(0));
const count = (value: number): string => value.toLocaleString("en-US");
const counted = (value: number, what: string): string => `${count(value)} ${what}${value === 1 ? "" : "s"}`;

function sizeOf(parameters: number): string {
  if (parameters < 1e4) return String(parameters);
  return parameters < 1e6 ? `${(parameters / 1e3).toFixed(0)}k` : `${(parameters / 1e6).toFixed(1)}M`;
}

/** Moves a progress line with the documents that are read and the updates that are done. */
export function showProgress(line: Progress, digits = 4): (event: TrainEvent) => void {
  let rateUnit: Started["unit"] = "tokens";
  return (event) => {
    if (event.type === "started") rateUnit = event.unit;
    if (event.type === "reading") {
      const text = `${(event.tokens / 1e6).toFixed(1)}M tokens`;
      line.update({ done: event.documents, unit: "documents", text });
    }
    if (event.type !== "step") return;
    const { step: done, steps: total, loss, speed: rate, secondsLeft, figures = {} } = event;
    // As many as a line of a terminal has room for: the objective names the most telling ones first.
    const more = Object.entries(figures)
      .slice(0, 2)
      .map(([name, value]) => `  ${name} ${short(value)}`);
    line.update({
      done,
      total,
      unit: "updates",
      rate,
      rateUnit,
      secondsLeft,
      text: `loss ${loss.toFixed(digits)}${more.join("")}`,
    });
  };
}

/** Runs `train`; with --json every event and the result are lines on stdout. */
export async function runTraining(
  config: Config,
  options: TrainOptions,
  { json, output, progress }: Terminal,
): Promise<void> {
  const begun = performance.now();
  const line = progress("training");
  const show = showProgress(line);
  const estimate = createEstimator(config);
  let perplexity = false;
  const result = await train(config, {
    ...options,
    onEvent: async (event) => {
      if (event.type === "evaluated") perplexity = event.perplexity !== undefined;
      if (json) return output.json(event);
      show(event);
      const texts = [describe(event, config), estimate(event)].filter((text) => text !== undefined);
      if (texts.length === 0) return;
      line.end();
      for (const text of texts) output.note(text);
    },
  }).finally(() => line.end());
  const seconds = (performance.now() - begun) / 1000;
  if (json) await output.json({ type: "result", ...result, secondsElapsed: seconds });
  else
    await output.write(summary(result, config, options, { seconds, perplexity, curve: await curveOf(options.output) }));
  if (result.stopped) process.exitCode = 1;
}

interface Seen {
  readonly seconds: number;
  readonly perplexity: boolean;
  /** Of the loss, as a line of blocks. */
  readonly curve: string | undefined;
}

/** Of the whole run, also of what an earlier call of it did. */
export async function curveOf(run: string): Promise<string | undefined> {
  return lossLine(await readMetrics(run));
}

function summary(
  { step, stopped, before, after, loss, model }: RunResult,
  { objective }: Config,
  { output, data }: TrainOptions,
  { seconds, perplexity, curve }: Seen,
): string {
  if (stopped) return `stopped and saved at update ${step}; the same command with --resume goes on there\n`;
  const done =
    loss === undefined ? `${step}, all done before` : `${step} in ${duration(seconds)}, last loss ${loss.toFixed(4)}`;
  const held = (value: number | undefined): string =>
    value === undefined ? "–" : perplexity ? Math.exp(value).toFixed(2) : value.toFixed(4);
  const rows: [string, string][] = [["updates", done]];
  if (curve !== undefined) rows.push(["loss", curve]);
  if (after !== undefined) {
    rows.push([perplexity ? "held-out perplexity" : "held-out loss", `${held(before)} before, ${held(after)} after`]);
  }
  rows.push(["model", model], ["metrics", join(output, "metrics.jsonl")]);
  const next = nextCommand(objective, model, data);
  if (next !== undefined) rows.push(["next", next]);
  return rows.map(([name, value]) => `${name.padEnd(21)}${value}\n`).join("");
}

function hasTemplate(model: string): boolean {
  const settings = join(model, "tokenizer_config.json");
  if (existsSync(join(model, "chat_template.jinja"))) return true;
  return existsSync(settings) && readFileSync(settings, "utf8").includes('"chat_template"');
}

/** Something to do with the model. */
function nextCommand(objective: Config["objective"], model: string, data: TrainOptions["data"]): string | undefined {
  const folder = quoted(model);
  switch (objective.kind) {
    case "causal":
    case "preference":
    case "unpaired":
    case "policy":
      return `galen generate --model ${folder} "Aspirin is"`;
    case "masked":
      return `galen features --model ${folder} "Aspirin is"`;
    case "classes":
      return `galen classify --model ${folder} "Aspirin is"`;
    case "tags":
      return `galen tag --model ${folder} "Aspirin is"`;
    case "soft-prompt":
      return objective.schema === null
        ? `galen evaluate task ${objective.task} --model ${folder} --data ${[data].flat().map(quoted).join(" ")}`
        : `galen predict --model ${folder} "…"`;
    case "instructions":
      // What was taught by plain texts has no template to put a question by.
      return hasTemplate(model)
        ? `galen generate --model ${folder} --chat "What does aspirin inhibit?"`
        : `galen generate --model ${folder} "Aspirin is"`;
    case "pairs":
    case "reward":
      return undefined;
    default:
      return `galen embed --model ${folder} "Aspirin is"`;
  }
}
