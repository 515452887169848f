/** `galen launch RECIPE` (`galen launch training RECIPE` is the same): a training for an engine on accelerators, or on this machine. */
import { isRecipe, recipeList } from "../../recipes/list.ts";
import { type Command, columnsOf, command, modelOption, recipeOptions, tokenizerOption } from "../command.ts";
import { onOption, rankOptions, submitOptions } from "../launch-options.ts";

const launch: Command = command({
  about: "Train on PyTorch: this machine, Slurm, Ray, Kubernetes",
  details:
    'DIR gets all that the training needs: start weights, the order of examples, job.json, and the worker, a program on PyTorch alone that spreads weights over all ranks (FSDP2). It is then handed to a launcher by a script in DIR/submit that can be read, and handed in by hand. One rank on this machine is the fast way for people with a GPU: PyTorch is installed by "uv pip install --requirement distributed/requirements.txt", into any Python that --python names. ' +
    "The same recipes, settings and inputs as of galen train, as far as all weights are trained: language models, encoders, instructions, preferences. DIR must have the same path on all machines. galen jobs watches, stops and resumes it, on another number of ranks too.",
  positionals: {
    recipe: { required: true, choices: Object.keys(recipeList), orFile: ".json", about: "As of galen train" },
    settings: { many: true, about: "path=value…" },
  },
  options: {
    on: { ...onOption, required: true },
    ranks: { type: "integer", hint: "N", least: 1, default: 1, about: "Processes, each with an accelerator" },
    data: {
      type: "text",
      hint: "PATH",
      required: true,
      many: "greedy",
      about: "As of galen train: documents, or token files (a prefix, or the folder of tokenize --output)",
    },
    valid: { type: "text", hint: "PATH", about: "Held out, of the same form as --data" },
    replay: { type: "text", hint: "PATH", many: "greedy", about: "Text that the model knows already, mixed in" },
    tokenizer: { ...tokenizerOption, about: "Tokenizer of a new language model (default: --model's)" },
    model: { ...modelOption, about: "What training starts from" },
    output: { type: "text", hint: "DIR", required: true, about: "Folder of the job" },
    ...rankOptions,
    ...submitOptions,
    ...recipeOptions,
  },
  examples: [
    [
      "launch training biogpt-nano --on local --ranks 2 --data runs/tokens --tokenizer runs/tokenizer --output jobs/nano --dry-run",
      "two processes on this machine; --dry-run says what would run",
    ],
    [
      "launch training llama-nano precision=bfloat16 --on slurm --ranks 16 --option gres=gpu:8 --option time=24:00:00 --data runs/byte-tokens --tokenizer runs/bytes --output jobs/llama --dry-run",
      "two machines of eight accelerators; near the time limit it saves, and goes on by itself",
    ],
  ],
  async topicHelp(words) {
    const name = words.find(isRecipe);
    return name === undefined ? undefined : (await import("../recipe-help.ts")).recipeHelp(name);
  },
  stoppable: true,
  async run({ args, json, output, progress, signal }) {
    const { launchTraining } = await import("../../launch/index.ts");
    const { announce, submitValues } = await import("../launching.ts");
    const { showProgress } = await import("../training.ts");
    const { recipe, settings, scale, data, valid, replay, tokenizer, model, limit } = args;
    const inputs = {
      data,
      valid,
      replay: replay.length > 0 ? replay : undefined,
      tokenizer,
      model,
      limit,
      columns: columnsOf(args),
    };
    const line = progress("preparing");
    const show = showProgress(line);
    const submission = await launchTraining(
      { recipe, scale: scale as "full" | "debug", settings, inputs, output: args.output },
      {
        ...submitValues(args),
        on: args.on as "local",
        signal,
        onNote: (text) => output.note(text),
        onEvent: (event) => show(event),
      },
    ).finally(() => line.end());
    await announce(submission, { json, output, progress, signal }, { detach: args.detach, name: args.output });
  },
});
export default launch;
