/** `galen train`: pre-training by a recipe. */
import { join } from "node:path";
import { UsageError } from "../../errors.ts";
import { type Command, command, deviceOptions } from "../command.ts";

const train: Command = command({
  about: "Pre-train a model by a recipe",
  details:
    "A recipe is a full configuration; settings of the form path=value change it (schedule.peak=1e-3, batch=4, sample.every=500). DIR gets metrics.jsonl, run.json, checkpoints/ and, at the end, model/ in Hugging Face's format. Ctrl-C saves and stops; --resume goes on exactly there. embeddings-kl compares dot products with a reranker's logits: where vectors are long, raise objective.student, the student's temperature, until both spread alike.",
  positionals: {
    // The names of `recipes`, which help must not load.
    recipe: {
      required: true,
      choices: [
        "biogpt-nano",
        "biogpt-micro",
        "biogpt-base",
        "biogpt-large",
        "biomedbert-small",
        "biomedbert-base",
        "hash-nano",
        "hash-pico",
        "hash-femto",
        "embeddings-distil",
        "embeddings-ranking",
        "embeddings-kl",
        "colbert",
        "colbert-contrastive",
        "reranker",
        "classifier",
        "tagger",
      ],
      about: "The configuration to start from",
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
        "Token files (a prefix, or the folder of tokenize --output), or documents; JSON lines from embeddings-distil on, for a tagger IOB2 files too",
    },
    valid: {
      type: "text",
      hint: "PATH",
      about:
        "Token files held out (a prefix, where --data is one); from embeddings-distil on a file as --data's: its loss before and after",
    },
    tokenizer: {
      type: "text",
      hint: "DIR",
      about: "Tokenizer directory; saved with the model (pre-training; default: --model's)",
    },
    model: {
      type: "text",
      hint: "DIR",
      about:
        "What training starts from: needed from embeddings-distil on; in pre-training its shape and weights instead of new ones, with rows for tokens that --tokenizer adds",
    },
    teacher: { type: "text", hint: "DIR", about: "Embedding model to learn from (embeddings-distil)" },
    output: { type: "text", hint: "DIR", required: true, about: "Folder of the run" },
    resume: { type: "flag", about: "Go on from the last checkpoint in --output" },
    scale: {
      type: "text",
      hint: "SCALE",
      choices: ["full", "debug"],
      default: "full",
      about: "debug: the same code in seconds",
    },
    ...deviceOptions,
  },
  examples: [
    [
      "train biogpt-nano --data runs/tokens --tokenizer runs/tokenizer --output runs/nano",
      'on token files made by "galen tokenize --output runs/tokens"',
    ],
    ["train biogpt-nano --data runs/tokens --tokenizer runs/tokenizer --output runs/nano --resume", "after a stop"],
    [
      "train biogpt-base schedule.peak=5e-5 steps=2000 accumulate=8 --model biogpt --data trials.jsonl --output runs/trials",
      "go on with a model's weights on other texts",
    ],
  ],
  stoppable: true,
  async run({ args, json, output, progress, signal }) {
    const { checkOutput } = await import("../../train/loop.ts");
    await checkOutput(args.output, args.resume);
    const { encoderRecipes } = await import("../../encoders/recipes.ts");
    if (Object.hasOwn(encoderRecipes, args.recipe)) {
      const { runEncoderTraining } = await import("../encoder-training.ts");
      const settings = [
        ...(args.device === undefined ? [] : [`device=${args.device}`]),
        ...(args.threads === undefined ? [] : [`threads=${args.threads}`]),
        ...args.settings,
      ];
      return runEncoderTraining({ ...args, settings }, { json, output, progress, signal });
    }
    const tokenizerFolder = args.tokenizer ?? args.model;
    if (tokenizerFolder === undefined) throw new UsageError("expected --tokenizer DIR for pre-training, got none");
    const { recipeOf } = await import("../../recipes/index.ts");
    const { applySettings } = await import("../../train/config.ts");
    const { loadTokenizer } = await import("../../tokenizers/files.ts");
    const tokenizer = await loadTokenizer(tokenizerFolder);
    const { openModelFolder } = await import("../../runtime/folder.ts");
    const recipe = recipeOf(args.recipe)({ scale: args.scale as "full" });
    const start = args.model === undefined ? undefined : (await openModelFolder(args.model)).config;
    const config = applySettings(start === undefined ? recipe : { ...recipe, model: { ...start } }, [
      `model.vocab_size=${Math.max(tokenizer.vocabSize, start?.vocab_size ?? 0)}`,
      ...(args.device === undefined ? [] : [`device=${args.device}`]),
      ...(args.threads === undefined ? [] : [`threads=${args.threads}`]),
      ...args.settings,
    ]);
    const { findTokenFiles, tokenFilesOf } = await import("../training-data.ts");
    const find = (path: string) => findTokenFiles(path, config.tokens);
    const tokens = join(args.output, "tokens");
    let data = args.data.length === 1 ? find(args.data[0]!) : undefined;
    if (data === undefined && args.resume) data = find(tokens);
    if (data === undefined) {
      const options = { output: tokens, heldOut: 0.01, seed: config.seed, signal, note: output.note };
      await tokenFilesOf(args.data, tokenizer, { ...options, progress: progress("tokenizing") });
      data = find(tokens)!;
    }
    const { runTraining } = await import("../training.ts");
    const files = { ...data, valid: args.valid ?? data.valid };
    const options = { data: files, model: args.model, output: args.output, resume: args.resume };
    const { maskingVocabulary } = await import("../../train/masking.ts");
    const vocabulary = config.objective.kind === "masked" ? maskingVocabulary(tokenizer) : undefined;
    await runTraining(
      config,
      { ...options, tokenizerFiles: tokenizer.files(), vocabulary, signal },
      { json, output, progress },
    );
  },
});
export default train;
