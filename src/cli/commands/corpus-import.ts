/** `galen corpus import`: PubMed XML to a dataset folder. */
import { type Command, command } from "../command.ts";

const corpusImport: Command = command({
  about: "PubMed XML to a dataset folder (Parquet)",
  details:
    "Reads .xml, .xml.gz and folders of them; Hugging Face datasets and DuckDB read the result. Lists (--ids, --codes, --keywords) hold one entry a line; a record passes when any of them has it, and must pass every other filter. Bad records are counted and listed in DIR/failures.jsonl.",
  positionals: { input: { required: true, many: true, about: "PubMed XML files and folders, oldest first" } },
  options: {
    output: { type: "text", hint: "DIR", required: true, about: "Dataset folder to make" },
    ids: { type: "text", hint: "FILE", about: "Keep these PMIDs" },
    codes: { type: "text", hint: "FILE", about: "Keep records with these MeSH descriptors: D000818" },
    keywords: { type: "text", hint: "FILE", about: "Keep records whose title or abstract has one of these" },
    from: { type: "text", hint: "DATE", about: "Published then or later: 2015, 2015-03 or 2015-03-07" },
    to: { type: "text", hint: "DATE", about: "Published then or earlier" },
    language: { type: "text", hint: "CODE", many: "repeat", about: "As PubMed writes it: eng, fre" },
    type: {
      type: "text",
      hint: "NAME",
      many: "repeat",
      about: 'Publication type: "Randomized Controlled Trial" or D016449',
    },
    "has-abstract": { type: "flag", about: "Only records with an abstract" },
    workers: {
      type: "integer",
      hint: "N",
      least: 0,
      about: "Threads that parse (default: one a core; none for small input)",
    },
    overwrite: { type: "flag", about: "Replace a dataset that is there" },
  },
  examples: [
    ["corpus import pubmed26n0001.xml.gz --output datasets/pubmed", "everything in a file"],
    [
      'corpus import baseline/ updatefiles/ --output datasets/trials --type "Randomized Controlled Trial" --from 2015 --has-abstract',
      "trials since 2015; newer versions of a record replace older ones",
    ],
    ["corpus import baseline/ --output datasets/mine --ids pmids.txt", "the PMIDs of a list"],
  ],
  stoppable: true,
  async run({ args, json, output, progress, signal }) {
    const { importPubMed } = await import("../../corpus/pubmed/import.ts");
    const { describeFailure } = await import("../../corpus/documents.ts");
    const { readFilterList } = await import("../../corpus/pubmed/filter.ts");
    const listOf = async (path: string | undefined): Promise<readonly string[] | undefined> =>
      path === undefined ? undefined : readFilterList(path);
    const filters = {
      ids: await listOf(args.ids),
      codes: await listOf(args.codes),
      keywords: await listOf(args.keywords),
      from: args.from,
      to: args.to,
      languages: args.language.length === 0 ? undefined : args.language,
      publicationTypes: args.type.length === 0 ? undefined : args.type,
      hasAbstract: args["has-abstract"] || undefined,
    };
    const line = progress("importing");
    let first: string | undefined;
    const manifest = await importPubMed({
      inputs: args.input,
      output: args.output,
      filters: Object.fromEntries(Object.entries(filters).filter(([, value]) => value !== undefined)),
      workers: args.workers,
      overwrite: args.overwrite,
      signal,
      onFailure: (failure) => (first ??= describeFailure(failure)),
      onProgress: ({ bytesDone, bytesTotal, records, secondsLeft }) => {
        const text = `${records.toLocaleString("en-US")} records`;
        line.update({ done: bytesDone, total: bytesTotal, unit: "bytes", secondsLeft, text });
      },
    }).finally(() => line.end());
    if (json) return output.json({ output: args.output, ...manifest });
    const { read, filtered, superseded, deleted, failures } = manifest.counts;
    const dropped = `${filtered} filtered out, ${superseded} replaced by newer versions, ${deleted} deleted`;
    await output.write(`${args.output}  ${manifest.records} records of ${read} read: ${dropped}\n`);
    if (first === undefined) return;
    output.note(`${failures} could not be read: see ${args.output}/failures.jsonl; the first: ${first}`);
  },
});
export default corpusImport;
