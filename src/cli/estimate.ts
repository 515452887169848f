/** How long a training will take: before its first update by the sizes, then as measured; and what a smaller one would be. */
import { availableParallelism } from "node:os";
import { isRecipe, type RecipeInfo, recipeList } from "../recipes/list.ts";
import type { Config, TrainEvent } from "../train/index.ts";

/** Floating-point operations a second of one core, as trainings of 3 to 350 million weights reach them. */
const pace = 5e10;

/** Tokens of an update; of texts as many as they may have. */
export function tokensOfUpdate({ objective, batch, tokensPerBatch, accumulate }: Config): number {
  const rows = (batch ?? 1) * accumulate;
  if ("tokens" in objective) return rows * objective.tokens;
  if (tokensPerBatch !== null) return tokensPerBatch * accumulate;
  if (objective.kind === "policy") {
    const { completions, method, maxNewTokens } = objective;
    // Drawn first, which takes about as long as learning from them.
    return 2 * rows * (completions ?? (method === "grpo" ? 8 : 2)) * maxNewTokens;
  }
  const {
    documents = 1,
    queryTokens = 0,
    documentTokens = 256,
  } = objective as {
    documents?: number;
    queryTokens?: number;
    documentTokens?: number;
  };
  // A pair's length has the query's in it.
  return rows * (documents * documentTokens + queryTokens);
}

/** Cores that a run will have: 0 threads are one on each. */
export function coresOf({ threads }: Pick<Config, "threads">): number {
  return threads === 0 ? availableParallelism() : threads;
}

/** Seconds; forward and backward are 6 operations for each weight and token. */
export function expectedSeconds(weights: number, tokens: number, cores: number): number {
  return (6 * weights * tokens) / (pace * cores);
}

/** "about 3 h", "about 7 months": a guess should not look exact. */
export function roughly(seconds: number): string {
  const units: readonly (readonly [string, number])[] = [
    ["year", 365 * 86_400],
    ["month", 30 * 86_400],
    ["day", 86_400],
    ["hour", 3600],
    ["minute", 60],
  ];
  for (const [name, size] of units) {
    const value = Math.round(seconds / size);
    if (seconds >= 1.5 * size || (value === 1 && seconds >= 0.95 * size)) {
      return `about ${value.toLocaleString("en-US")} ${name}${value === 1 ? "" : "s"}`;
    }
  }
  return "less than a minute";
}

/** What a person waits for without a thought. */
const shortSeconds = 120;
/** Updates after which the pace is known: the first ones are slower. */
const measuredUpdates = 5;
/** What is suggested takes about so long. */
const looks = 600;

/**
 * Notes on a run's length, from its events: one at the start, one when its pace is known; undefined for all others, and
 * where the run is short. `now` in seconds; for tests.
 */
export function createEstimator(
  config: Config,
  now: () => number = () => performance.now() / 1000,
): (event: TrainEvent) => string | undefined {
  let first: { readonly step: number; readonly time: number } | undefined;
  let measured = false;
  return (event) => {
    if (event.type === "started") {
      const left = event.steps - event.step;
      const cores = coresOf(config);
      // Of adapters the rest of the model is not known here.
      const known = config.trainable === "all" && config.device !== "webgpu";
      const seconds = expectedSeconds(event.parameters, left * tokensOfUpdate(config), cores);
      if (!known || seconds < shortSeconds) return undefined;
      return `it will take ${roughly(seconds)} on ${cores} cores, by its size${smallerChoice(config, seconds / left, left)}`;
    }
    if (event.type !== "step" || measured) return undefined;
    first ??= { step: event.step, time: now() };
    const done = event.step - first.step;
    if (done < measuredUpdates) return undefined;
    measured = true;
    const pace = (now() - first.time) / done;
    const left = event.steps - event.step;
    if (left * pace < shortSeconds) return undefined;
    const each = pace < 1 ? `${(1 / pace).toFixed(1)} updates a second` : `${pace.toFixed(1)} s an update`;
    return `measured: ${roughly(left * pace)} more, at ${each}${smallerChoice(config, pace, left)}`;
  };
}

/** What takes minutes, of a run that takes more than half an hour. */
function smallerChoice({ recipe }: Config, secondsPerUpdate: number, updates: number): string {
  if (updates * secondsPerUpdate < 1800) return "";
  const smaller = isRecipe(recipe) ? (recipeList[recipe] as RecipeInfo).smaller : undefined;
  const steps = Math.floor(looks / secondsPerUpdate);
  const choices = [
    ...(steps < 1 ? [] : [`steps=${steps} would take about 10 minutes`]),
    ...(smaller === undefined ? [] : [`${smaller} is the next smaller recipe`]),
    "--scale debug takes seconds",
  ];
  return `\n  smaller: ${choices.join("; ")}`;
}
