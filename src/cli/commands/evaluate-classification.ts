/** `galen evaluate classification`: accuracy, F1 and loss of a classifier. */
import { type Command, command, deviceOptions, folderOptions, loadOptions } from "../command.ts";

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
    ...folderOptions,
    ...deviceOptions,
  },
  examples: [
    ["evaluate classification --model runs/classes/model test.jsonl --max-tokens 128", "as it was trained"],
    ["evaluate classification --model runs/classes/model test.jsonl --json", "figures as JSON"],
  ],
  stoppable: true,
  async run({ args, ...terminal }) {
    const { evaluateClassification: evaluate, loadClassifier } = await import("../../eval/labels.ts");
    const { reopened, streamJsonLines } = await import("../../tasks/files.ts");
    const { z } = await import("zod");
    const { runWindows, writeReport } = await import("../evaluation.ts");
    const { describeFigures } = await import("../figures.ts");
    const line = z.object({ text: z.string(), label: z.string() });
    const examples = reopened(() => streamJsonLines(args.data, line));
    await using classifier = await loadClassifier(args.model, loadOptions(args));
    const report = await runWindows(args, terminal, (options) =>
      evaluate(classifier, examples, { ...options, maxTokens: args["max-tokens"] }),
    );
    const text = describeFigures(report, [["texts", String(report.examples)]]);
    await writeReport(args, terminal, { model: args.model, ...report }, text);
  },
});
export default evaluateClassification;
