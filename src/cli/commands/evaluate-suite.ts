/** `galen evaluate suite`: one model, many benchmarks, one protocol each. */
import { UsageError } from "../../errors.ts";
import { suites } from "../../eval/suites.ts";
import {
  type Command,
  command,
  exampleOptions,
  folderOptions,
  loadOptions,
  modelOption,
  modelOptions,
} from "../command.ts";

const evaluateSuite: Command = command({
  about: "Score a model on a suite of benchmarks",
  details:
    "A model is asked in the way it is able to: decoders by the log-likelihood of choices, as lm-evaluation-harness does, or by writing; classifiers, taggers and scorers of pairs by what they are; a model behind a server by an address such as http://localhost:8000/v1#name. " +
    "What a model cannot be asked is skipped and said. Files are checked against the version that figures are known of. DIR gets a folder a benchmark: report.json, report.txt, and records.jsonl with every answer.",
  positionals: {
    benchmarks: { required: true, many: true, about: "Suites (see below) and benchmarks" },
  },
  options: {
    model: { ...modelOption, required: true, servers: true, about: "Model directory, or a server's address; bm25" },
    data: { type: "text", hint: "DIR", required: true, about: "Folder with a folder of each benchmark's files" },
    shots: {
      type: "integer",
      hint: "N",
      least: 0,
      default: 0,
      about: "Examples with their answers before each question",
    },
    ...exampleOptions,
    ask: {
      type: "text",
      hint: "WAY",
      choices: ["generation", "likelihood", "classes", "tags", "similarity"],
      about: "How, where there are several ways (default: decoders by likelihood where there are choices)",
    },
    chat: { type: "flag", about: "Questions are turns of a conversation, by the model's chat template" },
    "one-turn": { type: "flag", about: "With --chat: shots stand in the question's turn, not in turns of their own" },
    system: { type: "text", hint: "TEXT", about: "With --chat: what is said before" },
    think: { type: "flag", about: "Steps before the answer, which is read at their end (chain of thought)" },
    samples: { type: "integer", hint: "N", least: 1, about: "Answers drawn, of which the commonest counts" },
    temperature: { type: "number", hint: "T", about: "Of drawn answers (default: 0.7)" },
    "max-new-tokens": { type: "integer", hint: "N", least: 1, about: "Most tokens of an answer" },
    "copy-only": {
      type: "flag",
      about: "Names are copied from the text, and all else is the benchmark's own words: of decoders, tuned or not",
    },
    seed: { type: "integer", hint: "N", default: 1, about: "Of drawn answers and of intervals" },
    tune: {
      type: "flag",
      about: "First adapt the model to each benchmark: a head for an encoder, a soft prompt for a decoder (see --lora)",
    },
    lora: {
      type: "flag",
      about: "With --tune: decoders learn the answers to their prompts by adapters (LoRA), in place of a soft prompt",
    },
    set: {
      type: "text",
      hint: "PATH=VALUE",
      many: "greedy",
      about: "With --tune: settings of the trainings, as galen train takes them",
    },
    seen: {
      type: "text",
      hint: "PATH",
      many: "greedy",
      about:
        "Texts that the model was trained on, files or dataset folders: examples that they hold are scored apart; or the seen.json of an earlier output",
    },
    "any-version": { type: "flag", about: "Take files of another version" },
    ...folderOptions,
    ...modelOptions,
  },
  examples: [
    [
      "evaluate suite medqa mmlu-anatomy --model biogpt --data data/benchmarks --shots 2 --output runs/scores",
      "two sets, two examples with their answers before each question",
    ],
    [
      "evaluate suite ner --model all-MiniLM-L6-v2 --data data/benchmarks --tune --output runs/names",
      "a tagger for each set of names, trained and scored",
    ],
    [
      "evaluate suite medqa --model biogpt --data data/benchmarks --seen texts.jsonl --output runs/seen",
      "questions that the training texts hold scored apart, by 13 words in a row",
    ],
  ],
  sections: [["Suites", Object.entries(suites).map(([name, { about }]) => [name, about] as const)]],
  stoppable: true,
  async run({ args, json, output, progress, signal }) {
    const { runSuite } = await import("../suite.ts");
    if (args.tune && args.output === undefined) throw new UsageError("--tune: expected --output DIR with it, got none");
    if (args["one-turn"] && !args.chat) throw new UsageError("--one-turn: expected --chat with it, got none");
    if (!args.tune && args.lora) throw new UsageError("--lora: expected --tune with it, got none");
    if (!args.tune && args.set.length > 0) throw new UsageError("--set: expected --tune with it, got none");
    const { benchmarks, model, data, output: folder, resume, shots, split, limit, seed } = args;
    const { chat, system, think, samples, temperature, "max-new-tokens": maxNewTokens } = args;
    await runSuite(
      {
        benchmarks,
        model,
        data,
        output: folder,
        resume,
        shots,
        oneTurn: args["one-turn"],
        split: split as "test",
        limit,
        seed,
        seen: args.seen,
        anyVersion: args["any-version"],
        way: args.ask as "likelihood" | undefined,
        ask: { chat, system, think, samples, temperature, seed, maxNewTokens, copyOnly: args["copy-only"] },
        copyOnly: args["copy-only"],
        load: loadOptions(args),
        tune: args.tune ? args.set : undefined,
        lora: args.lora,
      },
      { json, output, progress, signal },
    );
  },
});
export default evaluateSuite;
