/** `galen extract`: relations of a literature, with where they stand, counts, and a page to review them. */
import { join } from "node:path";
import { columnOptions, columnsOf, type Command, command, modelOptions, loadOptions, modelOption } from "../command.ts";
import { decodingOptions, toPredictOptions } from "../decoding-options.ts";
import { duration } from "../progress.ts";

const extract: Command = command({
  about: "Mine documents for relations",
  details:
    "INPUT is PubMed XML, dataset folders, JSONL or text files; - is JSON lines on stdin. DIR gets triples.jsonl (a line a triple: document, both names and where they stand in the text, sentences, score), relations.csv and .tsv (counted over documents), review.html and summary.json. Ctrl-C stops; --resume goes on without losing or repeating a line.",
  positionals: { input: { required: true, many: true, about: "Documents; - is stdin" } },
  options: {
    model: { ...modelOption, required: true, about: "Model directory tuned for relations" },
    output: { type: "text", hint: "DIR", required: true, about: "Folder of the run" },
    schema: { type: "text", hint: "TASK", about: "Name of a task or a JSON file, where the model has no task.json" },
    resume: { type: "flag", about: "Go on where the run in --output ended" },
    "all-documents": { type: "flag", about: "Documents without triples too, to add on the page what was missed" },
    limit: { type: "integer", hint: "N", least: 1, about: "The first N documents only" },
    ...columnOptions,
    ...decodingOptions,
    ...modelOptions,
  },
  examples: [
    ["extract pubmed/*.xml.gz --model runs/ddi/model --output mined", "PubMed XML"],
    [
      "extract - --model runs/ddi/model --output mined --copy-only --resume",
      "JSON lines from stdin, names from the text only",
    ],
  ],
  stoppable: true,
  async run({ args, json, output, progress, signal }) {
    const { extract: run } = await import("../../extract/index.ts");
    const { openTuned } = await import("../../soft-prompts/predict.ts");
    const { describeFailure } = await import("../../corpus/documents.ts");
    await using tuned = await openTuned(args.model, { ...loadOptions(args), task: args.schema });
    const bar = progress("mining");
    let shown = 0;
    const summary = await run(tuned, args.input, {
      ...toPredictOptions(args),
      output: args.output,
      resume: args.resume,
      allDocuments: args["all-documents"],
      limit: args.limit,
      columns: columnsOf(args),
      signal,
      onFailure(failure) {
        if (shown++ < 5) output.note(`not read: ${describeFailure(failure)}`);
      },
      onProgress({ documents: done, triples, grounded, now, seconds }) {
        const text = `${triples} triples, ${grounded} in the text`;
        bar.update({ done, total: args.limit, unit: "documents", rate: now / seconds, text });
      },
    }).finally(() => bar.end());
    const { documents, triples, grounded, now, seconds, stopped, failures } = summary;
    if (stopped) process.exitCode = 1;
    if (json) return output.json({ output: args.output, ...summary });
    const share = triples === 0 ? "" : ` (${((100 * grounded) / triples).toFixed(1)} %)`;
    const rows = [
      ...(stopped ? [["stopped", "the same command with --resume goes on there"]] : []),
      ["documents", `${documents}, ${summary.empty} of them empty, ${summary.windowed} read in several windows`],
      ["rate", `${((60 * now) / seconds).toFixed(1)} documents a minute, ${duration(seconds)} now`],
      ["triples", `${triples}, ${grounded} with both names in the text${share}`],
      ["not in the text", `${summary.headsNotInText} heads, ${summary.tailsNotInText} tails`],
      ["answers cut off", `${summary.unfinished}`],
      ["relations", `${summary.relations} distinct: ${join(args.output, "relations.csv")}`],
      ["review", join(args.output, "review.html")],
      ...(failures === 0 ? [] : [["not read", `${failures} documents`]]),
    ];
    for (const [name, value] of rows) await output.write(`${name!.padEnd(17)}${value}\n`);
  },
});

export default extract;
