/** `galen corpus train-quality`: a small classifier of good and bad texts, for the stage of that name. */
import { type Command, command, overwriteOption } from "../command.ts";

const corpusTrainQuality: Command = command({
  about: "Train a small classifier of good and bad texts, for a pipeline",
  details:
    "GOOD and --bad are texts as elsewhere: JSON lines with text, tables, a line each. Logistic regression on words and pairs of words, in seconds, into one small file, which the stage quality-classifier takes as model. What it finds good is what it was shown: look at what it drops.",
  positionals: { good: { required: true, many: true, about: "Files of texts to be kept" } },
  options: {
    bad: { type: "text", hint: "FILE", required: true, many: "greedy", about: "Files of texts to be dropped" },
    output: { type: "text", hint: "FILE", required: true, about: "The model" },
    ...overwriteOption,
    seed: { type: "integer", hint: "N", default: 1, about: "Order of the examples" },
  },
  examples: [
    ["corpus train-quality abstracts.jsonl --bad texts.jsonl --output quality.json", "from two files"],
    [
      "corpus train-quality abstracts.jsonl trials.jsonl --bad texts.jsonl --output quality.json --seed 2",
      "another order",
    ],
  ],
  async run({ args, json, output }) {
    const { trainQualityFiles } = await import("../../curate/index.ts");
    await trainQualityFiles(args.good, args.bad, args.output, { seed: args.seed });
    if (json) return output.json({ model: args.output });
    await output.write(`${args.output}\n`);
  },
});
export default corpusTrainQuality;
