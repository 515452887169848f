/** `galen index`: documents into an index, or out of it. */
import { UsageError } from "../../errors.ts";
import {
  batchLoadOptions,
  columnOptions,
  columnsOf,
  type Command,
  command,
  modelOption,
  modelOptions,
} from "../command.ts";

/** Documents beyond which the exact store's memory and time are felt. */
const manyDocuments = 50_000;
/** Failures that are shown one by one. */
const shownFailures = 5;

const index: Command = command({
  about: "Make literature searchable, or add to an index",
  details:
    "INPUT is PubMed XML, a dataset folder, JSON lines, a table, text, or a folder of these; - is JSON lines on stdin. Called again with other inputs it adds to the index and updates what has changed; called again after a break it goes on, and embeds nothing twice. A record's newest version counts; withdrawn records are taken out, retracted ones are marked. Others may search meanwhile.",
  positionals: { input: { many: true, about: "Documents" } },
  options: {
    output: { type: "text", hint: "DIR", required: true, about: "The index" },
    model: {
      ...modelOption,
      about: "Sentence Transformers directory: search by meaning too (default: by words alone)",
    },
    store: {
      type: "text",
      hint: "NAME",
      choices: ["exact", "lance"],
      about:
        "What keeps it: exact, all of it in memory while it is searched, or LanceDB, on disk; an index is moved to the one that is named (default: LanceDB for more than 32 MiB of INPUT, where it is installed)",
    },
    delete: { type: "text", hint: "ID", many: "repeat", about: "Take this document out" },
    "delete-list": {
      type: "text",
      hint: "FILE",
      about: "Take out those whose identifiers are in this file, one a line, such as PubMed's deleted.pmids.gz",
    },
    ...columnOptions,
    int8: { type: "flag", about: "Embed in eight bits: faster, on the CPU" },
    ...modelOptions,
  },
  examples: [
    ["index samples/pubmed-sample.xml --output index", "by words alone: no model is needed"],
    ["index datasets/pubmed --output index --model NeuML/biomedbert-small-embeddings", "by words and by meaning"],
    ["index --output index --delete 31000001", "one document less"],
  ],
  stoppable: true,
  async run({ args, json, output, progress, signal }) {
    const { indexDocuments } = await import("../../search/index.ts");
    const { describeFailure } = await import("../../corpus/index.ts");
    const { countCuts } = await import("../cuts.ts");
    const list = args["delete-list"];
    if (args.input.length === 0 && args.delete.length === 0 && list === undefined && args.store === undefined) {
      throw new UsageError("expected INPUT, --delete ID, --delete-list FILE or --store NAME, got none", {
        hint: "galen index abstracts.xml --output index",
      });
    }
    const line = progress("indexing");
    const cuts = countCuts("passages");
    const failures: string[] = [];
    const started = performance.now();
    const summary = await indexDocuments(args.input, {
      output: args.output,
      model: args.model,
      store: args.store as "exact" | "lance" | undefined,
      delete: args.delete,
      deleteList: list,
      columns: columnsOf(args),
      ...batchLoadOptions(args),
      signal,
      onCut: cuts.add,
      onFailure: (failure) => {
        if (failures.length < shownFailures) failures.push(describeFailure(failure));
      },
      onProgress: ({ documents, text }) => line.update({ done: documents, unit: "documents", text }),
    });
    line.end();
    cuts.say(output);
    for (const one of failures) output.note(one);
    if (summary.failures > shownFailures) output.note(`and ${summary.failures - shownFailures} more failures`);
    if (summary.repeated > 0) {
      output.note(`${summary.repeated} documents came under an id that had come before: the later ones count`);
    }
    const seconds = (performance.now() - started) / 1000;
    if (summary.documents > manyDocuments && summary.store === "exact") {
      output.note(
        `${summary.documents} documents are read into memory by every search: npm install @lancedb/lancedb@0.31.0 apache-arrow@18.1.0 and galen index --output ${args.output} --store lance moves them to disk`,
      );
    }
    if (json) return output.json({ output: args.output, ...summary, seconds, ...cuts.json() });
    const { documents, added, changed, unchanged, deleted } = summary;
    const parts = [
      `${added} added`,
      ...(changed > 0 ? [`${changed} changed`] : []),
      ...(unchanged > 0 ? [`${unchanged} as they were`] : []),
      ...(deleted > 0 ? [`${deleted} taken out`] : []),
    ];
    await output.write(`${args.output}  ${documents} documents (${parts.join(", ")})\n`);
  },
});
export default index;
