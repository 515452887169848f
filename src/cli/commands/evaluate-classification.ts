/** `galen evaluate classification`: accuracy, F1 and loss of a classifier. */
import { type Command, command, deviceOptions, loadOptions } from "../command.ts";

const evaluateClassification: Command = command({
  about: "Accuracy, F1 and loss of a classifier of texts",
  details: "Of a classifier with several labels a text: micro and macro F1, and how many label sets are right.",
  positionals: { data: { required: true, about: 'JSON lines {"text", "label"}, or {"text", "labels": [...]}' } },
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
    const { evaluateClassification: evaluate } = await import("../../eval/label-reports.ts");
    const { loadClassifier } = await import("../../eval/labels.ts");
    const { readLabelled } = await import("../../tasks/labelled.ts");
    const texts = await readLabelled(args.data);
    await using classifier = await loadClassifier(args.model, loadOptions(args));
    const report = await evaluate(classifier, texts, { maxTokens: args["max-tokens"], where: args.data });
    if (json) return output.json({ model: args.model, ...report });
    const { describeFigures } = await import("../figures.ts");
    await output.write(describeFigures(report, [["texts", String(report.examples)]]));
  },
});
export default evaluateClassification;
