/**
 * The plan of a training on accelerators: weights, operations, memory of a rank, layouts, days, cost. Arithmetic on the
 * recipe and the family's graph; what is assumed (utilisation, reserve, bandwidths at their best) says so where it stands.
 */
import { ConfigError } from "../errors.ts";
import { type Family, familyOf } from "../models/index.ts";
import { isRecipe, type RecipeInfo, recipeList } from "../recipes/list.ts";
import { required } from "../schema.ts";
import type { Config } from "../train/config.ts";
import type { Fleet } from "./accelerators.ts";
import {
  attentionFlopsOfToken,
  checkedUtilisation,
  daysOf,
  flopsOfToken,
  type Range,
  usualUtilisation,
} from "./flops.ts";
import { layoutsOf, type PlannedLayout } from "./layouts.ts";
import { bytesOfCheckpoint, bytesOfExport, type RankMemory } from "./memory.ts";
import { type Network, networkOf } from "./network.ts";
import { type RanksOnPaper, ranksOnPaper } from "./ranks.ts";
import { warningsOf } from "./warnings.ts";

export interface PlanOptions {
  readonly fleet: Fleet;
  /** In all; default: the recipe's updates. */
  readonly tokens?: number | undefined;
  /** Tokens of the vocabulary; default: what the recipe is meant for, or the published size has. */
  readonly vocabulary?: number | undefined;
  /** Shares of the peak; default: by size, `usualUtilisation`. */
  readonly utilisation?: Range | undefined;
  /** Of an accelerator and hour. */
  readonly price?: number | undefined;
  /** Of a kilowatt-hour. */
  readonly electricity?: number | undefined;
  /** What a building takes for a watt of its accelerators, hosts and cooling included. Default 1.5, an assumption. */
  readonly overhead?: number | undefined;
  /** Bytes a second that shared storage gives to all hosts together. Default: a range, an assumption. */
  readonly storage?: number | undefined;
}

export interface Plan {
  readonly recipe: string;
  readonly accelerators: { readonly count: number; readonly name: string; readonly source: string };
  readonly parameters: number;
  /** Of all tokens, 6 N each. */
  readonly flops: number;
  /** Attention's, beside them. */
  readonly attentionFlops: number;
  readonly tokens: number;
  readonly updates: number;
  readonly tokensPerUpdate: number;
  readonly utilisation: Range;
  readonly days: Range;
  readonly acceleratorHours: Range;
  /** Bytes of a rank in the first layout; where none is feasible, in that which needs least. */
  readonly memory: RankMemory;
  /** Feasible ones first, of these the quickest. */
  readonly layouts: readonly PlannedLayout[];
  readonly checkpoints: {
    readonly bytes: number;
    readonly written: number;
    readonly kept: number;
    readonly modelBytes: number;
  };
  /** Of an accelerator at its limit, with the overhead. */
  readonly wattsEach: number;
  readonly megawattHours: Range;
  /** In the currency of the prices; absent without any. */
  readonly cost?: Range;
  /** Starting, checkpoints, data, interruptions, with what was measured and what was assumed. */
  readonly ranks: RanksOnPaper;
  readonly warnings: readonly string[];
}

/**
 * Plans a pre-training.
 * @throws ConfigError for a recipe without a network or row length of its own, or numbers that are out of range.
 */
export function planTraining(config: Config, options: PlanOptions): Plan {
  required("planTraining: config", config, "object");
  required("planTraining: options", options, "object");
  const { fleet, price, electricity, overhead = 1.5 } = options;
  const { storage } = options;
  const amounts = { tokens: options.tokens, vocabulary: options.vocabulary, price, electricity, overhead, storage };
  for (const [name, value] of Object.entries(amounts)) {
    if (value !== undefined && !(value > 0 && Number.isFinite(value))) {
      throw new ConfigError(`${name}: expected a number above 0, got ${value}`);
    }
  }
  const { network, pieces } = openNetwork(config, options.vocabulary);
  const update = updateOf(config);
  const tokensPerUpdate = update.rows * update.tokensOfRow;
  const updates = updatesOf(config, tokensPerUpdate, options.tokens);
  const tokens = options.tokens ?? updates * tokensPerUpdate;
  const { parameters } = network;
  const flops = tokens * flopsOfToken(network);
  const utilisation = checkedUtilisation(options.utilisation ?? usualUtilisation(parameters));
  const scaled = (range: Range, factor: number): Range => ({ low: range.low * factor, high: range.high * factor });
  const days = { low: daysOf(flops, fleet, utilisation.high), high: daysOf(flops, fleet, utilisation.low) };
  const acceleratorHours = scaled(days, 24 * fleet.count);
  const wattsEach = fleet.accelerator.watts * overhead;
  const megawattHours = scaled(acceleratorHours, wattsEach / 1e6);
  const layouts = layoutsOf(network, fleet, update, utilisation.high);
  const [best = least(layouts, fleet.count)] = layouts.filter(({ feasible }) => feasible);
  const prices = (price ?? 0) > 0 || (electricity ?? 0) > 0;
  const cost = (end: keyof Range): number =>
    acceleratorHours[end] * (price ?? 0) + megawattHours[end] * 1000 * (electricity ?? 0);
  const checkpoints = checkpointsOf(config, parameters, updates);
  const ranks = ranksOnPaper({
    fleet,
    parameters,
    layers: network.layers,
    rows: network.rows,
    tokens,
    updates,
    rowsOfUpdate: update.rows,
    tokensOfRow: update.tokensOfRow,
    days,
    layout: best,
    checkpoints,
    storage,
  });
  return {
    recipe: config.recipe,
    accelerators: { count: fleet.count, name: fleet.name, source: fleet.accelerator.source },
    parameters,
    flops,
    attentionFlops: tokens * attentionFlopsOfToken(network, update.tokensOfRow),
    tokens,
    updates,
    tokensPerUpdate,
    utilisation,
    days,
    acceleratorHours,
    memory: best.memory,
    layouts,
    checkpoints,
    wattsEach,
    megawattHours,
    ...(prices ? { cost: { low: cost("low"), high: cost("high") } } : {}),
    ranks,
    warnings: warningsOf({
      fleet,
      parameters,
      flops,
      days,
      tokens,
      updates,
      pieces,
      layouts,
      tokensOfUpdate: tokensPerUpdate,
      tokensOfRow: update.tokensOfRow,
      longest: network.longest,
      rows: network.rows,
      warmup: config.schedule.warmup < 1 ? config.schedule.warmup * updates : config.schedule.warmup,
      peakRate: config.schedule.peak,
      precision: config.precision,
      ranks,
    }),
  };
}

/** Names of recipes with a network and a row length of their own. */
const plannable = Object.entries<RecipeInfo>(recipeList)
  .flatMap(([name, { purpose }]) => (purpose === "language" || purpose === "encoder" ? [name] : []))
  .join(", ");

/** Of the layouts that use every accelerator. */
function least(layouts: readonly PlannedLayout[], count: number): PlannedLayout {
  return layouts
    .filter(({ fsdp, tensorParallel }) => fsdp * tensorParallel === count)
    .reduce((least, one) => (one.memory.total < least.memory.total ? one : least));
}

function openNetwork({ recipe, model, objective }: Config, given?: number): { network: Network; pieces: number } {
  if (model === null) {
    throw new ConfigError(`${recipe}: expected a recipe of a new language model, got one that starts from --model`, {
      hint: `can be planned: ${plannable}`,
    });
  }
  const family = familyOf(model, "model");
  const pieces = given ?? model.vocab_size ?? publishedPieces(recipe, family, model);
  const multiple = "rowMultiple" in objective ? objective.rowMultiple : 1;
  const rows = Math.ceil(pieces / multiple) * multiple;
  return { pieces, network: networkOf(family, family.parseConfig({ ...model, vocab_size: rows }, "model")) };
}

/** Of the recipe, or of the named size that the network is. @throws ConfigError where there is none. */
function publishedPieces(recipe: string, { sizes }: Family, model: Readonly<Record<string, unknown>>): number {
  const info: RecipeInfo | undefined = isRecipe(recipe) ? recipeList[recipe] : undefined;
  if (info?.vocabulary !== undefined) return info.vocabulary;
  const shape = ["hidden_size", "num_hidden_layers", "intermediate_size"];
  const named = Object.values(sizes).find((size) => {
    const fields = size as unknown as Readonly<Record<string, unknown>>;
    return shape.every((field) => fields[field] === model[field]);
  });
  if (named !== undefined) return named.vocab_size;
  throw new ConfigError("vocabulary: expected a number of tokens for a network of no published size, got none", {
    hint: "--vocabulary 32000, or model.vocab_size=32000",
  });
}

function updateOf({ recipe, objective, batch, accumulate }: Config): { rows: number; tokensOfRow: number } {
  if (!("tokens" in objective) || batch === null) {
    throw new ConfigError(`${recipe}: expected rows of a fixed number of tokens, got texts of their own lengths`, {
      hint: `can be planned: ${plannable}`,
    });
  }
  return { rows: batch * accumulate, tokensOfRow: objective.tokens };
}

function updatesOf({ steps }: Config, tokensPerUpdate: number, tokens: number | undefined): number {
  if (tokens !== undefined) return Math.max(1, Math.ceil(tokens / tokensPerUpdate));
  if (steps !== null) return steps;
  throw new ConfigError("tokens: expected how many in all, since epochs are of data that is not here, got none", {
    hint: "--tokens 1e9, or steps=N",
  });
}

function checkpointsOf({ save }: Config, parameters: number, updates: number): Plan["checkpoints"] {
  const every = save.every === "epoch" || save.every === 0 ? updates : save.every;
  return {
    bytes: bytesOfCheckpoint * parameters,
    written: Math.ceil(updates / every),
    kept: save.keep,
    modelBytes: bytesOfExport * parameters,
  };
}
