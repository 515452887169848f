/** `galen train RECIPE --help`: what it makes, what it needs first, its data, how long it takes, every setting. */
import { familyOf, scoringGraph } from "../models/index.ts";
import { needsOf, type RecipeInfo, recipeList, type RecipeName, recipes } from "../recipes/index.ts";
import { type Config, settingsOf } from "../train/index.ts";
import { coresOf, expectedSeconds, roughly, tokensOfUpdate } from "./estimate.ts";
import { section, wrap } from "./help.ts";

/** Of the model that a recipe starts from: biomedbert-small's, or biogpt-nano's for tasks. */
const usualWeights = { encoder: 22.7e6, decoder: 3.4e6 };
/** Pieces of the vocabulary: what the tokenizers here learn where nothing is said, and BERT's. */
const vocabularies = [8192, 30_522] as const;
const usualExamples = 1000;
/** Tokens of a task's example with its answer, as abstracts have them. */
const usualTaskTokens = 300;

export function recipeHelp(name: RecipeName): string {
  const info: RecipeInfo = recipeList[name];
  const config = recipes[name]();
  const needs = needsOf(info).map(([option, expected, first]): [string, string] => [
    `--${option}`,
    `${expected}; ${first}`,
  ]);
  if (info.model === "optional") needs.push(["or --model", "the directory of a language model to go on with"]);
  const settings = settingsOf(config).map(({ path, value, about }): [string, string] => [`${path}=${value}`, about]);
  return [
    `${wrap(info.about, 0)}.\n`,
    `\nUsage\n  galen train ${name} [path=value…] ${usage(info)} --data PATH… --output DIR [options]\n`,
    section("Makes", [["size", sizeOf(config)]]),
    section("Needs first", needs),
    section("Data", [
      ["--data", info.data],
      ["for example", info.line],
    ]),
    section("Time", timeRows(config, info)),
    section("Settings", settings),
    '\n"galen train --help" has the options that all recipes share.\n',
  ].join("");
}

function usage({ model, teacher, reward }: RecipeInfo): string {
  if (model === "optional") return "--tokenizer MODEL";
  if (teacher === true) return "--model MODEL --teacher MODEL";
  return reward === true ? "--model MODEL [--reward MODEL]" : "--model MODEL";
}

/** Weights of a new model; undefined of one that is given. */
function weightsOf({ model }: Config, vocab_size: number = vocabularies[0]): number | undefined {
  if (model === null) return undefined;
  const family = familyOf(model, "model");
  const graph = scoringGraph(family, family.parseConfig({ ...model, vocab_size }, "model"));
  return [...graph.parameters.values()].reduce(
    (sum, { value }) => sum + value.shape.reduce<number>((product, dim) => product * Number(dim), 1),
    0,
  );
}

function sizeOf(config: Config): string {
  if (config.model === null) return "that of --model";
  const { num_hidden_layers: layers, hidden_size: width } = config.model as Readonly<Record<string, unknown>>;
  const sizes = vocabularies.map((pieces) => {
    const weights = weightsOf(config, pieces)!;
    return `${(weights / 1e6).toFixed(weights < 1e7 ? 1 : 0)}M weights with a vocabulary of ${pieces.toLocaleString("en-US")}`;
  });
  return `${String(layers)} layers of ${String(width)}: ${sizes.join(", ")}; the head included`;
}

/** On this machine's processor. */
function timeRows(config: Config, { smaller, model }: RecipeInfo): [string, string][] {
  const cores = coresOf(config);
  const usual = model === "decoder" ? usualWeights.decoder : usualWeights.encoder;
  const weights = weightsOf(config) ?? usual;
  const { steps, epochs, batch, accumulate } = config;
  const from = config.model === null ? `, from a model of ${usual / 1e6}M weights` : "";
  const where = `on ${cores} core${cores === 1 ? "" : "s"} like these${from}`;
  const rows: [string, string][] = [];
  if (steps !== null) {
    rows.push([
      "all of it",
      `${steps.toLocaleString("en-US")} updates, ${roughly(expectedSeconds(weights, steps * tokensOfUpdate(config), cores))} ${where}`,
    ]);
  } else {
    const examples = epochs! * usualExamples;
    const tokens =
      batch === null ? examples * usualTaskTokens : (examples * tokensOfUpdate(config)) / (batch * accumulate);
    rows.push(["1,000 examples", `${roughly(expectedSeconds(weights, tokens, cores))} ${where}`]);
  }
  rows.push(["a look", "--scale debug takes seconds: the same code on a caricature of the model"]);
  if (smaller !== undefined) rows.push(["smaller", `galen train ${smaller}`]);
  return rows;
}
