/** `galen evaluate classification`: accuracy, F1 and loss of a classifier. */
import {
  columnsOf,
  type Command,
  command,
  modelOptions,
  folderOptions,
  labelColumnOptions,
  loadOptions,
  modelOption,
} from "../command.ts";

const evaluateClassification: Command = command({
  about: "Accuracy, F1 and loss of a classifier of texts",
  details: "Of a multi-label classifier: micro and macro F1, and how many label sets are right.",
  positionals: {
    data: {
      required: true,
      about: 'JSON lines {"text", "label"}, or {"text", "labels": [...]}; or a table (CSV, TSV, Parquet)',
    },
  },
  options: {
    model: { ...modelOption, required: true, about: "Classifier's directory" },
    "max-tokens": {
      type: "integer",
      hint: "N",
      least: 3,
      about: "Texts are cut to this (default: the model's length)",
    },
    ...labelColumnOptions,
    ...folderOptions,
    ...modelOptions,
  },
  examples: [
    ["evaluate classification --model runs/classes/model test.jsonl --max-tokens 128", "as it was trained"],
    ["evaluate classification --model runs/classes/model test.jsonl --json", "figures as JSON"],
  ],
  stoppable: true,
  async run({ args, ...terminal }) {
    const { evaluateClassification: evaluate } = await import("../../eval/classification.ts");
    const { loadClassifier } = await import("../../labellers.ts");
    const { reopened } = await import("../../io/streams.ts");
    const { streamLabelled } = await import("../../tasks/labelled.ts");
    const { runWindows, writeReport } = await import("../evaluation.ts");
    const { model, data: where, "max-tokens": maxTokens } = args;
    await using classifier = await loadClassifier(model, loadOptions(args));
    const examples = reopened(() => streamLabelled(where, classifier.multiLabel, columnsOf(args)));
    const report = await runWindows(args, terminal, (options) =>
      evaluate(classifier, examples, { ...options, maxTokens, where }),
    );
    await writeReport(args, terminal, { model }, report);
  },
});
export default evaluateClassification;
