/** `galen corpus report`: the page of a curated corpus, made again from what its run left. */
import { type Command, command, overwriteOption } from "../command.ts";

const corpusReport: Command = command({
  about: "What a pipeline kept, changed and dropped, as a page to look at and sign",
  details:
    "Makes DIR/report.html of DIR/report.json, as galen corpus run does at its end: flows, rules with examples, duplicates as differences, years, lengths, licences, and a datasheet. It holds excerpts of documents, and loads nothing from elsewhere.",
  positionals: { dir: { required: true, about: "Folder that galen corpus run wrote" } },
  options: {
    output: { type: "text", hint: "FILE", about: "Write the page there (default: DIR/report.html, which is replaced)" },
    ...overwriteOption,
  },
  examples: [
    ["corpus report runs/corpus", "runs/corpus/report.html"],
    ["corpus report runs/corpus --json", "the counts and examples of all rules"],
  ],
  async run({ args, json, output }) {
    const { readSummary, writeReport } = await import("../../curate/index.ts");
    const { describeRun } = await import("../corpus-text.ts");
    const summary = await readSummary(args.dir);
    const file = args.output ?? `${args.dir}/report.html`;
    await writeReport(file, summary);
    if (json) return output.json({ page: file, ...summary });
    await output.write(describeRun(summary, args.dir, file));
  },
});
export default corpusReport;
