/** A fine-tuning run on the terminal. */
import { join } from "node:path";
import { finetune, type FinetuneEvent, type FinetuneOptions, type FinetuneResult } from "../finetune/finetune.ts";
import type { Context } from "./command.ts";
import { duration } from "./progress.ts";

type Terminal = Pick<Context<unknown>, "json" | "output" | "progress">;

function describe(event: FinetuneEvent): string | undefined {
  if (event.type === "started") {
    const { parameters, examples, cut, validation, step, steps, epochs } = event;
    const cutNote = cut === 0 ? "" : `, ${cut} of them cut to the model's length`;
    const held = typeof validation === "number" ? `${validation} for validation` : `no validation: ${validation}`;
    return (
      `${parameters.toLocaleString("en-US")} parameters learn from ${examples.toLocaleString("en-US")} examples${cutNote} (${held}); ` +
      `step ${step} of ${steps}, ${epochs} epochs`
    );
  }
  return event.type === "evaluated" ? `epoch ${event.epoch}: validation loss ${event.loss.toFixed(4)}` : undefined;
}

/** Runs `finetune`; with --json every event and the result are lines on stdout. */
export async function runFinetuning(options: FinetuneOptions, { json, output, progress }: Terminal): Promise<void> {
  const started = performance.now();
  const bar = progress("tuning");
  const result = await finetune({
    ...options,
    onEvent: async (event) => {
      if (json) return output.json(event);
      if (event.type === "step") {
        const { step: done, steps: total, tokensPerSecond: rate, secondsLeft, loss, epoch } = event;
        const text = `epoch ${epoch}  loss ${loss.toFixed(3)}`;
        return bar.update({ done, total, unit: "steps", rate, rateUnit: "tokens", secondsLeft, text });
      }
      const text = describe(event);
      if (text === undefined) return;
      bar.end();
      output.note(text);
    },
  }).finally(() => bar.end());
  const seconds = (performance.now() - started) / 1000;
  if (json) await output.json({ type: "result", ...result, secondsElapsed: seconds });
  else await output.write(summary(result, options, seconds));
  if (result.stopped) process.exitCode = 1;
}

function summary(
  { step, stopped, loss, before, after, model, config }: FinetuneResult,
  options: FinetuneOptions,
  seconds: number,
): string {
  if (stopped) return `stopped and saved at step ${step}; the same command with --resume goes on there\n`;
  const task = typeof options.task === "string" ? options.task : config.task;
  const rows = [
    ["steps", `${step} in ${duration(seconds)}, last loss ${loss.toFixed(4)}`],
    ...(after === undefined ? [] : [["validation loss", `${before?.toFixed(4)} before, ${after.toFixed(4)} after`]]),
    ["model", model],
    ["metrics", join(options.output, "metrics.jsonl")],
    ["next", `galen evaluate task ${task} --model ${model} --data ${options.data}`],
  ];
  return rows.map(([name, value]) => `${name!.padEnd(17)}${value}\n`).join("");
}
