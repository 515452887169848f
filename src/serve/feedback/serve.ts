/** `galen feedback` from its options to its end: answers are written where they are missing, then people are served. */
import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { ConfigError, UsageError } from "../../errors.ts";
import { itemsPath, type ItemStore, mostAnswers, openItems, readItems } from "../../feedback/items.ts";
import { openJudgements } from "../../feedback/judgements.ts";
import { lockBeside } from "../../io/lock.ts";
import { checkSeparate } from "../../io/outputs.ts";
import type { LoadOptions } from "../../model.ts";
import { required } from "../../schema.ts";
import { createApp } from "../app.ts";
import { listen, type ListenOptions, type Serving } from "../listen.ts";
import { createModels, knownModels } from "../models.ts";
import { healthRoutes } from "../routes/health.ts";
import { pageRoutes } from "../routes/page.ts";
import { writeAnswers } from "./answers.ts";
import { feedbackRoutes } from "./routes.ts";
import { createSession } from "./session.ts";

export interface FeedbackOptions extends ListenOptions {
  /** JSON lines or a table: {prompt}, {prompt, answers}, {prompt, chosen, rejected}. */
  readonly prompts: string;
  /** JSON lines of judgements, appended to; what is judged is kept beside it. */
  readonly output: string;
  /** Decoders that answer prompts without answers, as `serve` takes them. */
  readonly models?: readonly string[] | undefined;
  /** Of each model to each prompt. Default: 2 of one model, 1 of each of several. */
  readonly answers?: number | undefined;
  /** 0: the likeliest token each time. Default 1, and 0 where each model gives one answer. */
  readonly temperature?: number | undefined;
  /** Default 1. */
  readonly topP?: number | undefined;
  /** Most new tokens of an answer. Default 256. */
  readonly tokens?: number | undefined;
  /** Of answers, and of their order on each screen. Default 0. */
  readonly seed?: number | undefined;
  /** How models are loaded. */
  readonly load?: LoadOptions | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called while models answer, in prompts and models. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

export interface ServingFeedback extends Serving {
  /** What can be judged. */
  readonly items: number;
  /** Prompts that are not shown, since they have no two different answers. */
  readonly leftOut: number;
}

/**
 * Serves a page on which people judge answers; what is acknowledged is on disk.
 * @throws UsageError where nothing could be judged, the port is taken, or other machines could ask without a token;
 * ConfigError where the output is of other prompts or answers, or another run prepares it; DataError that names a line.
 */
export async function serveFeedback(options: FeedbackOptions): Promise<ServingFeedback> {
  required("serveFeedback: prompts", options.prompts, "text");
  required("serveFeedback: output", options.output, "text");
  const { prompts, output, seed = 0 } = options;
  await checkSeparate(output, [prompts]);
  let counts = { items: 0, leftOut: 0 };
  const serving = await listen(options, async (surroundings) => {
    const items = await prepared(options);
    const all = items.all();
    counts = { items: all.length, leftOut: items.count() - all.length };
    if (all.length === 0) {
      throw new UsageError(`${prompts}: expected prompts with two different answers, got ${counts.leftOut} without`, {
        hint: "let a model write them: --model MODEL --answers 2 --temperature 1",
      });
    }
    const judgements = openJudgements(output);
    await judgements.refresh();
    const models = createModels([], surroundings);
    const routes = feedbackRoutes(createSession(all, judgements, seed));
    const context = { index: undefined, models, folders: {}, ...surroundings };
    const app = createApp(context, [healthRoutes, routes, pageRoutes("feedback-main")]);
    return { app, dispose: () => models[Symbol.asyncDispose]() };
  });
  return { ...serving, ...counts };
}

/** The items with all their answers, kept beside the output; one run at a time. */
async function prepared(options: FeedbackOptions): Promise<ItemStore> {
  const { prompts, output, models: given = [], seed = 0, topP = 1, tokens = 256, load, onProgress } = options;
  const { signal = new AbortController().signal } = options;
  const answers = options.answers ?? (given.length === 1 ? 2 : 1);
  const temperature = options.temperature ?? (answers > 1 ? 1 : 0);
  await using _ = await lockBeside(output);
  const size = (await stat(output).catch(() => undefined))?.size ?? 0;
  if (size > 0 && !existsSync(itemsPath(output))) {
    throw new ConfigError(
      `${output}: expected judgements with ${itemsPath(output)} beside them, or no file, got another`,
      {
        hint: "nothing there was touched: name another --output",
      },
    );
  }
  const read = await readItems(prompts);
  const items = await openItems(output);
  await items.add(read);
  if (given.length === 0) {
    const [open] = items.asked().filter((item) => item.answers.length === 0);
    if (open === undefined) return items;
    throw new UsageError(`${prompts}: expected answers in every line, or a model to write them, got lines without`, {
      hint: "--model MODEL, or lines {prompt, answers: [text, text]} or {prompt, chosen, rejected}",
    });
  }
  if (temperature === 0 && answers > 1) {
    throw new ConfigError(
      `answers: expected 1 of each model at temperature 0, which always gives the same, got ${answers}`,
      {
        hint: "a temperature above 0 draws different ones",
      },
    );
  }
  const models = await knownModels(given);
  const wrong = models.find(({ kind }) => kind !== "decoder");
  if (wrong !== undefined)
    throw new ConfigError(`${wrong.name}: expected a decoder, got a model of kind ${wrong.kind}`);
  if (models.length * answers > mostAnswers) {
    throw new UsageError(`answers: expected at most ${mostAnswers} to a prompt, got ${models.length} × ${answers}`);
  }
  await writeAnswers(items, { models, answers, temperature, topP, tokens, seed, load, signal, onProgress });
  return items;
}
