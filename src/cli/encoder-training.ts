/** `galen train` of encoder recipes on the terminal. */
import { withEncoderSettings } from "../encoders/config.ts";
import { checkInputs, encoderRecipes } from "../encoders/recipes.ts";
import { trainEncoder } from "../encoders/train.ts";
import type { Context } from "./command.ts";
import { duration } from "./progress.ts";

export interface EncoderArguments {
  readonly recipe: string;
  readonly settings: readonly string[];
  readonly model: string | undefined;
  readonly teacher: string | undefined;
  readonly data: readonly string[];
  readonly valid: string | undefined;
  readonly output: string;
  readonly resume: boolean;
  readonly scale: string;
}

type Terminal = Pick<Context<unknown>, "json" | "output" | "progress" | "signal">;

/** Small batches of short texts, for a look in seconds. */
const debug = ["epochs=1", "batch=4", "queryTokens=16", "documentTokens=32"];

/** @throws ConfigError for a missing input, with what to run first. */
export async function runEncoderTraining(
  args: EncoderArguments,
  { json, output, progress, signal }: Terminal,
): Promise<void> {
  const inputs = checkInputs(args.recipe, args);
  const settings = [...(args.scale === "debug" ? debug : []), ...args.settings];
  const config = withEncoderSettings(encoderRecipes[args.recipe]!.config, settings);
  const started = performance.now();
  const line = progress("training");
  const { valid, resume } = args;
  let first = 0;
  const result = await trainEncoder(config, {
    ...inputs,
    valid,
    resume,
    output: args.output,
    signal,
    onEvent: async (event) => {
      if (json) return output.json(event);
      if (event.type === "step") {
        const { step, steps, loss, examplesPerSecond, secondsLeft } = event;
        line.update({
          done: step,
          total: steps,
          unit: "updates",
          rate: examplesPerSecond,
          rateUnit: "examples",
          secondsLeft,
          text: `loss ${loss.toFixed(4)}`,
        });
      } else if (event.type === "started") {
        line.end();
        first = event.step;
        output.note(
          `${config.recipe}: ${event.parameters} parameters, ${event.examples} examples, ${event.steps} updates`,
        );
      } else if (event.type === "evaluated") {
        line.end();
        output.note(`update ${event.step}: held-out loss ${event.loss.toFixed(4)}`);
      }
    },
  });
  line.end();
  const seconds = (performance.now() - started) / 1000;
  if (json) await output.json({ type: "result", ...result, secondsElapsed: seconds });
  else if (result.stopped) {
    await output.write(`stopped and saved at update ${result.step}; the same command with --resume goes on there\n`);
  } else {
    const { step, loss, before, after, model } = result;
    const since = first === 0 ? "before" : `at update ${first}`;
    await output.write(
      `${step} updates in ${duration(seconds)}, loss ${loss.toFixed(4)}\n` +
        (after === undefined ? "" : `held-out loss ${before!.toFixed(4)} ${since}, ${after.toFixed(4)} after\n`) +
        `model  ${model}\n`,
    );
  }
  if (result.stopped) process.exitCode = 1;
}
