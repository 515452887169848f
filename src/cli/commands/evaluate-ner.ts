/** `galen evaluate ner`: strict entity precision, recall and F1 of a tagger. */
import { type Command, command, deviceOptions, loadOptions } from "../command.ts";

const evaluateNer: Command = command({
  about: "Entity precision, recall and F1 of a tagger",
  details: "An entity counts when its type and both ends are right, as seqeval counts IOB2.",
  positionals: { data: { required: true, about: "IOB2 file: token, tab, tag; blank lines between sentences" } },
  options: {
    model: { type: "text", hint: "DIR", required: true, about: "Tagger's directory" },
    ...deviceOptions,
  },
  examples: [
    ["evaluate ner --model runs/ner/model data/ner/NCBI-disease/test.tsv", "on a test set"],
    ["evaluate ner --model runs/ner/model test.tsv --json", "figures as JSON"],
  ],
  async run({ args, json, output }) {
    const { evaluateNer: evaluate } = await import("../../eval/label-reports.ts");
    const { loadTagger } = await import("../../eval/labels.ts");
    const { readText } = await import("../../tasks/files.ts");
    const { parseIob } = await import("../../tasks/ner.ts");
    const sentences = parseIob(await readText(args.data), args.data);
    await using tagger = await loadTagger(args.model, loadOptions(args));
    const report = await evaluate(tagger, sentences);
    if (json) return output.json({ model: args.model, ...report });
    const { describeFigures } = await import("../figures.ts");
    await output.write(describeFigures(report, [["sentences", String(report.examples)]]));
  },
});
export default evaluateNer;
