/** `galen evaluate classification`: accuracy, F1 and loss of a classifier. */
import { type Command, command, deviceOptions, loadOptions } from "../command.ts";

const evaluateClassification: Command = command({
  about: "Accuracy, F1 and loss of a classifier of texts",
  positionals: { data: { required: true, about: 'JSON lines {"text", "label"}' } },
  options: {
    model: { type: "text", hint: "DIR", required: true, about: "Classifier's directory" },
    "max-tokens": {
      type: "integer",
      hint: "N",
      least: 3,
      about: "Texts are cut to this (default: the model's length)",
    },
    ...deviceOptions,
  },
  examples: [
    ["evaluate classification --model runs/classes/model test.jsonl --max-tokens 128", "as it was trained"],
    ["evaluate classification --model runs/classes/model test.jsonl --json", "figures as JSON"],
  ],
  async run({ args, json, output }) {
    const { evaluateClassification: evaluate, loadClassifier } = await import("../../eval/labels.ts");
    const { readJsonLines } = await import("../../tasks/files.ts");
    const { z } = await import("zod");
    const examples = await readJsonLines(args.data, z.object({ text: z.string(), label: z.string() }));
    await using classifier = await loadClassifier(args.model, loadOptions(args));
    const report = await evaluate(classifier, examples, { maxTokens: args["max-tokens"] });
    if (json) return output.json({ model: args.model, ...report });
    const { describeFigures } = await import("../figures.ts");
    await output.write(describeFigures(report, [["texts", String(report.examples)]]));
  },
});
export default evaluateClassification;
