/** `galen train`: a model by a recipe. */
import { isRecipe, purposes, recipeList } from "../../recipes/list.ts";
import { UsageError } from "../../errors.ts";
import {
  columnsOf,
  type Command,
  command,
  deviceOptions,
  modelOption,
  recipeOptions,
  tokenizerOption,
} from "../command.ts";

const train: Command = command({
  about: "Train a model by a recipe",
  details:
    "A recipe is a full configuration; settings of the form path=value change it (schedule.peak=1e-3, batch=4, epochs=5, trainable=lora, sample.every=500). " +
    "A language model is new, or goes on from --model; embeddings, rerankers, classifiers, taggers and tasks start from one. " +
    'A task may be a JSON file of your own: {"kind": "relation", "relations": [names]}, {"kind": "entities", "types": [names]} or {"kind": "classification", "labels": [names]}; --data then has train.jsonl, valid.jsonl and test.jsonl, lines {"id", "text"} with "relations": [{"head", "tail", "relation"}], "entities": [{"start", "end", "type"}] or "labels": [names]. ' +
    "DIR gets metrics.jsonl, run.json, checkpoints/ and, at the end, model/ in Hugging Face's format. Ctrl-C saves and stops; --resume goes on exactly there. embeddings-kl compares dot products with a reranker's logits: where vectors are long, raise student, the student's temperature, until both spread alike.",
  positionals: {
    recipe: {
      required: true,
      choices: Object.keys(recipeList),
      orFile: ".json",
      about:
        'The configuration to start from (see below; "galen train RECIPE --help" says all about one), or a task\'s JSON file',
    },
    settings: { many: true, about: "path=value…" },
  },
  options: {
    data: {
      type: "text",
      hint: "PATH",
      required: true,
      many: "greedy",
      about:
        "Documents, or token files (a prefix, or the folder of tokenize --output); JSON lines (for a classifier CSV, TSV and Parquet, for a tagger IOB2 too); a task's folder",
    },
    valid: {
      type: "text",
      hint: "PATH",
      about: "Held out, of the same form as --data: its loss before, on the way and after",
    },
    replay: {
      type: "text",
      hint: "PATH",
      many: "greedy",
      about: "Text that a language model knows already, mixed in as replay= says: documents, or token files",
    },
    tokenizer: {
      ...tokenizerOption,
      about: "Tokenizer of a new language model; saved with it (default: --model's)",
    },
    model: {
      ...modelOption,
      about:
        "What training starts from; a language model's with rows for tokens that --tokenizer adds. Without it a language model is new",
    },
    teacher: { ...modelOption, about: "Embedding model to learn from (embeddings-distil)" },
    reward: { ...modelOption, about: "Reward model that scores what a policy says (policy)" },
    output: { type: "text", hint: "DIR", required: true, about: "Folder of the run" },
    resume: { type: "flag", about: "Go on from the last checkpoint in --output" },
    change: {
      type: "text",
      hint: "FIELD",
      many: "repeat",
      about: "With --resume: a setting or fingerprint that is meant to differ from the run's, such as steps",
    },
    unpaired: { type: "flag", about: "With preference: answers judged one by one (preference-unpaired)" },
    ...recipeOptions,
    ...deviceOptions,
  },
  examples: [
    [
      "train biogpt-nano --data runs/tokens --tokenizer runs/tokenizer --output runs/nano",
      'on token files made by "galen tokenize --output runs/tokens"',
    ],
    [
      "train biogpt-base schedule.peak=5e-5 steps=2000 accumulate=8 --model biogpt --data trials.jsonl --output runs/trials --resume",
      "go on with a model's weights on other texts, and after a stop",
    ],
    [
      "train my-relations.json trainable=lora --model biogpt --data my-data --output runs/mine",
      "relations of your own; ddi in its place is the published task",
    ],
  ],
  sections: Object.entries(purposes).map(([purpose, title]) => [
    `Recipes: ${title}`,
    Object.entries(recipeList).flatMap(([name, info]) =>
      info.purpose === purpose ? [[name, info.about] as const] : [],
    ),
  ]),
  async topicHelp(words) {
    const name = words.find(isRecipe);
    return name === undefined ? undefined : (await import("../recipe-help.ts")).recipeHelp(name);
  },
  stoppable: true,
  async run({ args, json, output, progress, signal }) {
    const { configure } = await import("../../recipes/index.ts");
    const recipe = recipeNamed(args.recipe, args.unpaired);
    const { settings, scale, device, threads, data, valid, replay, tokenizer, model, teacher, reward, limit } = args;
    const inputs = {
      data,
      valid,
      replay: replay.length > 0 ? replay : undefined,
      tokenizer,
      model,
      teacher,
      reward,
      limit,
      columns: columnsOf(args),
    };
    const given = Object.entries({ device, threads }).filter(([, value]) => value !== undefined);
    const config = await configure(recipe, {
      inputs,
      scale: scale as "full" | "debug",
      settings: [...given.map(([name, value]) => `${name}=${value}`), ...settings],
    });
    const { runTraining } = await import("../training.ts");
    await runTraining(
      config,
      { ...inputs, output: args.output, resume: args.resume, change: args.change, signal },
      { json, output, progress },
    );
  },
});

/** @throws UsageError where answers judged one by one are not what the recipe learns from. */
function recipeNamed(recipe: string, unpaired: boolean): string {
  if (!unpaired) return recipe;
  if (recipe === "preference") return "preference-unpaired";
  throw new UsageError(`--unpaired: expected with preference, got ${recipe}`);
}
export default train;
