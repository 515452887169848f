/** `galen extract`: relations of a literature, with where they stand, counts, and a page to review them. */
import { join } from "node:path";
import { DataError } from "../../errors.ts";
import { type Command, command, deviceOptions, loadOptions } from "../command.ts";
import { decodingOptions, toPredictOptions } from "../decoding-options.ts";
import { readLines } from "../../io/lines.ts";
import { duration } from "../progress.ts";

interface Document {
  id: string;
  title: string;
  text: string;
  source: string;
}

/** JSON lines from stdin: `{"id", "title", "text"}`, of which only the text is needed. */
async function* fromStdin(onFailure: (message: string) => void): AsyncGenerator<Document> {
  let number = 0;
  for await (const line of readLines("-")) {
    number += 1;
    if (line.trim() === "") continue;
    try {
      const { id = `stdin:${number}`, title, text, abstract } = JSON.parse(line) as Record<string, unknown>;
      const body = text ?? abstract;
      if (typeof body !== "string") throw new DataError('expected a string in "text" or "abstract"');
      yield { id: String(id), title: typeof title === "string" ? title : "", text: body, source: "stdin" };
    } catch (error) {
      onFailure(`stdin:${number}: ${(error as Error).message}`);
    }
  }
}

const extract: Command = command({
  about: "Mine documents for relations",
  details:
    "INPUT is PubMed XML, dataset folders, JSONL or text files; - is JSON lines on stdin. DIR gets triples.jsonl (a line a triple: document, both names and where they stand in the text, sentences, score), relations.csv and .tsv (counted over documents), review.html and summary.json. Ctrl-C stops; --resume goes on without losing or repeating a line.",
  positionals: { input: { required: true, many: true, about: "Documents; - is stdin" } },
  options: {
    model: { type: "text", hint: "DIR", required: true, about: "Model directory tuned for relations" },
    output: { type: "text", hint: "DIR", required: true, about: "Folder of the run" },
    schema: { type: "text", hint: "TASK", about: "Name of a task or a JSON file, where the model has no task.json" },
    resume: { type: "flag", about: "Go on where the run in --output ended" },
    "all-documents": { type: "flag", about: "Documents without triples too, to add on the page what was missed" },
    limit: { type: "integer", hint: "N", least: 1, about: "The first N documents only" },
    ...decodingOptions,
    ...deviceOptions,
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
    const { extract: mine, writeRelations, writeReview } = await import("../../extract/index.ts");
    const { openTuned } = await import("../../soft-prompts/predict.ts");
    const { readDocuments } = await import("../../corpus/documents.ts");
    await using tuned = await openTuned(args.model, { ...loadOptions(args), task: args.schema });
    const bar = progress("mining");
    let failures = 0;
    const failed = (message: string): void => {
      failures += 1;
      if (failures <= 5) output.note(`not read: ${message}`);
    };
    const documents = async function* (): AsyncGenerator<Document> {
      let left = args.limit ?? Infinity;
      for (const input of args.input) {
        const read =
          input === "-"
            ? fromStdin(failed)
            : readDocuments([input], {
                signal,
                onFailure: ({ source, line, message }) =>
                  failed(`${source}${line === null ? "" : `:${line}`}: ${message}`),
              });
        for await (const document of read) {
          if (left-- <= 0) return;
          yield document;
        }
      }
    };
    const result = await mine(tuned, documents(), {
      ...toPredictOptions(args),
      output: args.output,
      resume: args.resume,
      inputs: args.input,
      allDocuments: args["all-documents"],
      signal,
      onProgress: ({ documents: done, triples, grounded, now, seconds }) =>
        bar.update({
          done,
          total: args.limit,
          unit: "documents",
          rate: now / seconds,
          text: `${triples} triples, ${grounded} in the text`,
        }),
    }).finally(() => bar.end());
    const relations = await writeRelations(args.output);
    await writeReview(args.output, `${tuned.task.name} in ${args.input.join(", ")}`);
    const { writeFileAtomically } = await import("../../io/files.ts");
    const summary = { ...result, failures, relations: relations.length };
    await writeFileAtomically(join(args.output, "summary.json"), `${JSON.stringify(summary, null, 2)}\n`);
    if (result.stopped) process.exitCode = 1;
    if (json) return output.json({ output: args.output, ...summary });
    const share = result.triples === 0 ? "" : ` (${((100 * result.grounded) / result.triples).toFixed(1)} %)`;
    const rows = [
      ...(result.stopped ? [["stopped", "the same command with --resume goes on there"]] : []),
      ["documents", `${result.documents}, ${result.empty} of them empty, ${result.windowed} read in several windows`],
      [
        "rate",
        `${((60 * result.now) / result.seconds).toFixed(1)} documents a minute, ${duration(result.seconds)} now`,
      ],
      ["triples", `${result.triples}, ${result.grounded} with both names in the text${share}`],
      ["not in the text", `${result.headsNotInText} heads, ${result.tailsNotInText} tails`],
      ["answers cut off", `${result.unfinished}`],
      ["relations", `${relations.length} distinct: ${join(args.output, "relations.csv")}`],
      ["review", join(args.output, "review.html")],
      ...(failures === 0 ? [] : [["not read", `${failures} documents`]]),
    ];
    for (const [name, value] of rows) await output.write(`${name!.padEnd(17)}${value}\n`);
  },
});

export default extract;
