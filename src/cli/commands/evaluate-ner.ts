/** `galen evaluate ner`: entity precision, recall and F1 of a tagger. */
import { type Command, command, modelOptions, folderOptions, loadOptions, modelOption } from "../command.ts";

const evaluateNer: Command = command({
  about: "Entity precision, recall and F1 of a tagger",
  details:
    "An entity counts when its type and both ends are right: as seqeval counts by default, and strictly by IOB2, where an I- that continues no entity is none.",
  positionals: {
    data: {
      required: true,
      about: 'IOB2 file: token, tab, tag; blank lines between sentences; or JSON lines {"tokens", "tags"}',
    },
  },
  options: {
    model: { ...modelOption, required: true, about: "Tagger's directory" },
    ...folderOptions,
    ...modelOptions,
  },
  examples: [
    ["evaluate ner --model runs/ner/model data/ner/NCBI-disease/test.tsv", "on a test set"],
    ["evaluate ner --model runs/ner/model test.tsv --json", "figures as JSON"],
  ],
  stoppable: true,
  async run({ args, ...terminal }) {
    const { evaluateNer: evaluate } = await import("../../eval/ner.ts");
    const { loadTagger } = await import("../../labellers.ts");
    const { reopened } = await import("../../io/streams.ts");
    const { streamTagged } = await import("../../tasks/ner.ts");
    const { runWindows, writeReport } = await import("../evaluation.ts");
    const sentences = reopened(() => streamTagged(args.data));
    await using tagger = await loadTagger(args.model, loadOptions(args));
    const report = await runWindows(args, terminal, (options) => evaluate(tagger, sentences, options));
    await writeReport(args, terminal, { model: args.model }, report);
  },
});
export default evaluateNer;
