/** `galen corpus import`: sources of all kinds to a dataset folder. */
import { UsageError } from "../../errors.ts";
import { type Command, command } from "../command.ts";
import { importLiterature } from "../import-literature.ts";

/** The names of the readers, which help must not load. */
const kinds = [
  "pubmed",
  "jats",
  "clinicaltrials",
  "patents",
  "tei",
  "pdf",
  "html",
  "clinical-notes",
  "rows",
  "text",
] as const;

const corpusImport: Command = command({
  about: "Literature, trials, patents, notes and pages to a dataset folder (Parquet)",
  details:
    "Reads PubMed XML, articles in JATS (PMC, bioRxiv), ClinicalTrials.gov (XML and JSON), patents of the USPTO, clinical notes (JSON lines, CSV, FHIR), GROBID's TEI, PDF, HTML, text, JSON lines, CSV and Parquet, alone, in folders, in .gz, .zst, .zip and .tar; Hugging Face datasets and DuckDB read the result. The kind of each file is found by its contents. Bad records are counted and listed in DIR/failures.jsonl. PubMed's records alone keep all their fields, and may be filtered: lists (--ids, --codes, --keywords) hold one entry a line; a record passes when any of them has it, and must pass every other filter.",
  positionals: { input: { required: true, many: true, about: "Files, folders and archives, oldest first" } },
  options: {
    output: { type: "text", hint: "DIR", required: true, about: "Dataset folder to make" },
    kind: { type: "text", hint: "KIND", choices: kinds, about: "What all files are (default: what each looks like)" },
    column: {
      type: "text",
      hint: "FIELD=NAME",
      many: "repeat",
      about: "Where a table or JSON has a field under another name: text=body",
    },
    licence: { type: "text", hint: "SPDX", about: "Of documents that do not say" },
    ids: { type: "text", hint: "FILE", about: "PubMed: keep these PMIDs" },
    codes: { type: "text", hint: "FILE", about: "PubMed: keep records with these MeSH descriptors: D000818" },
    keywords: { type: "text", hint: "FILE", about: "PubMed: keep records whose title or abstract has one of these" },
    from: { type: "text", hint: "DATE", about: "PubMed: published then or later: 2015, 2015-03 or 2015-03-07" },
    to: { type: "text", hint: "DATE", about: "PubMed: published then or earlier" },
    language: { type: "text", hint: "CODE", many: "repeat", about: "PubMed: as it writes them: eng, fre" },
    type: {
      type: "text",
      hint: "NAME",
      many: "repeat",
      about: 'PubMed: publication type: "Randomized Controlled Trial" or D016449',
    },
    "has-abstract": { type: "flag", about: "PubMed: only records with an abstract" },
    workers: {
      type: "integer",
      hint: "N",
      least: 0,
      about: "Threads that parse (default: one a core; none for small input)",
    },
    overwrite: { type: "flag", about: "Replace a dataset that is there" },
  },
  examples: [
    ["corpus import articles/ studies.json abstracts.jsonl --output datasets/papers", "each file as what it is"],
    [
      'corpus import baseline/ updatefiles/ --output datasets/trials --type "Randomized Controlled Trial" --from 2015 --has-abstract',
      "trials since 2015; newer versions of a record replace older ones",
    ],
    [
      "corpus import samples/notes.jsonl --kind clinical-notes --output datasets/notes",
      "notes, which training refuses until galen corpus run has de-identified them",
    ],
  ],
  stoppable: true,
  async run(context) {
    const { args, json, output, progress, signal } = context;
    const { importPubMed, readFilterList } = await import("../../corpus/index.ts");
    const { describeFailure, isAllPubMed } = await import("../../corpus/index.ts");
    const listOf = async (path: string | undefined): Promise<readonly string[] | undefined> =>
      path === undefined ? undefined : readFilterList(path);
    const given = {
      ids: await listOf(args.ids),
      codes: await listOf(args.codes),
      keywords: await listOf(args.keywords),
      from: args.from,
      to: args.to,
      languages: args.language.length === 0 ? undefined : args.language,
      publicationTypes: args.type.length === 0 ? undefined : args.type,
      hasAbstract: args["has-abstract"] || undefined,
    };
    const filters = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
    const isPubMed = args.kind === "pubmed" || (args.kind === undefined && (await isAllPubMed(args.input)));
    if (!isPubMed) {
      const [filter] = Object.keys(filters);
      if (filter !== undefined) {
        throw new UsageError(`a filter of ${filter}: expected PubMed's records alone, got other sources`, {
          hint: "galen corpus run filters all kinds, by the stages of a pipeline",
        });
      }
      return importLiterature(context);
    }
    const line = progress("importing");
    let first: string | undefined;
    const manifest = await importPubMed({
      inputs: args.input,
      output: args.output,
      filters,
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
