/** A training run on the terminal: progress, evaluations and samples as they come, and where everything lies. */
import { join } from "node:path";
import { loadModel } from "../model.ts";
import type { TrainConfig } from "../train/config.ts";
import { train, type TrainEvent, type TrainOptions } from "../train/pretrain.ts";
import type { Context } from "./command.ts";
import { duration, type Progress } from "./progress.ts";

type Terminal = Pick<Context<unknown>, "json" | "output" | "progress">;

/** What a person reads of an event; undefined for those that only move the progress line. */
function describe(event: TrainEvent, config: TrainConfig): string | undefined {
  switch (event.type) {
    case "started": {
      const size =
        event.parameters < 1e6 ? `${(event.parameters / 1e3).toFixed(0)}k` : `${(event.parameters / 1e6).toFixed(1)}M`;
      const tokens = event.blocks * config.tokens;
      return `${config.recipe}: ${size} parameters, ${tokens.toLocaleString("en-US")} training tokens, step ${event.step} of ${config.steps}`;
    }
    case "evaluated":
      return `step ${event.step}: held-out ${config.objective.kind === "masked" ? "masked " : ""}perplexity ${event.perplexity.toFixed(2)} (loss ${event.loss.toFixed(4)})`;
    case "sampled":
      return event.texts.map((text) => `step ${event.step}: ${text}`).join("\n");
    default:
      return undefined;
  }
}

/** Moves a progress line to a step of training. */
export function showStep(event: Extract<TrainEvent, { type: "step" }>, line: Progress, digits: number): void {
  const { step, steps, loss, tokensPerSecond, secondsLeft } = event;
  const text = `loss ${loss.toFixed(digits)}`;
  line.update({
    done: step,
    total: steps,
    unit: "steps",
    rate: tokensPerSecond,
    rateUnit: "tokens",
    secondsLeft,
    text,
  });
}

/** Runs `train`; with --json every event and the result are lines on stdout. */
export async function runTraining(
  config: TrainConfig,
  options: TrainOptions,
  { json, output, progress }: Terminal,
): Promise<void> {
  const started = performance.now();
  const line = progress("training");
  const result = await train(config, {
    ...options,
    onEvent: async (event) => {
      if (json) return output.json(event);
      if (event.type === "step") return showStep(event, line, 3);
      const text = describe(event, config);
      if (text === undefined) return;
      line.end();
      output.note(text);
    },
    onSample: async (_step, save) => {
      const folder = join(options.output, "sampled");
      await save(folder);
      await using model = await loadModel(folder);
      const { prompts, maxNewTokens } = config.sample;
      const room = Math.min(maxNewTokens, config.tokens >> 1);
      return (await model.generate({ prompts, maxNewTokens: room, doSample: true, topP: 0.9, seed: config.seed }))
        .texts;
    },
  });
  line.end();
  if (json) await output.json({ type: "result", ...result, secondsElapsed: (performance.now() - started) / 1000 });
  else await output.write(summary(result, config, options.output, performance.now() - started));
  if (result.stopped) process.exitCode = 1;
}

type Result = Awaited<ReturnType<typeof train>>;

function summary(
  { step, stopped, before, after, loss, model }: Result,
  { objective }: TrainConfig,
  folder: string,
  milliseconds: number,
): string {
  if (stopped) return `stopped and saved at step ${step}; the same command with --resume goes on there\n`;
  const rows = [
    ["steps", `${step} in ${duration(milliseconds / 1000)}, last loss ${loss.toFixed(4)}`],
    ...(after === undefined
      ? []
      : [["held-out perplexity", `${before?.toFixed(2)} before, ${after.toFixed(2)} after`]]),
    ["model", model],
    ["metrics", join(folder, "metrics.jsonl")],
    ["try", `galen ${objective.kind === "masked" ? "features" : "generate"} --model ${model} "Aspirin is"`],
  ];
  return rows.map(([name, value]) => `${name!.padEnd(20)}${value}\n`).join("");
}
