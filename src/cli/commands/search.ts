/** `galen search`: documents of an index that a query finds, or that are like one of them. */
import { UsageError } from "../../errors.ts";
import type { SearchFormat, SearchMode, SearchOptions } from "../../search/index.ts";
import { type Command, command, loadOptions, modelOption, modelOptions, overwriteOption } from "../command.ts";
import { filterOptions, filtersOf } from "../filter-options.ts";

const search: Command = command({
  about: "Search an index of literature",
  details:
    "QUERY is words, of which documents with any are ranked, or as PubMed's: \"heart failure\"[ti] AND (aspirin OR statin*) NOT review[pt] AND 2019:2024[dp]. AND, OR and NOT are in capitals and go from left to right; a tag belongs to the phrase or the words before it: [ti] [ab] [tiab] [tw] [au] [ta] [mh] [pt] [la] [dp] [pmid] [doi], [field:NAME] for a field of the documents' own. Words are not mapped to MeSH terms; British and American spellings are one word. Put the whole query in single quotes, for the shell.",
  positionals: { query: { many: true, about: "Words, or PubMed's language; none with --similar" } },
  options: {
    index: { type: "text", hint: "DIR", required: true, about: "Made by galen index" },
    mode: {
      type: "text",
      hint: "MODE",
      choices: ["text", "dense", "hybrid"],
      about: "By words, by vectors, or both (default where the index has vectors)",
    },
    limit: { type: "integer", hint: "N", least: 1, default: 10, about: "Hits" },
    offset: { type: "integer", hint: "N", least: 0, default: 0, about: "Hits to pass over" },
    similar: { type: "text", hint: "ID", about: "Documents like this one" },
    ...filterOptions,
    model: { ...modelOption, about: "Where the index's own model is, if no longer where it was" },
    rerank: { ...modelOption, about: "Cross-encoder, ColBERT or embedding model that orders the first hits again" },
    reranked: { type: "integer", hint: "N", least: 1, default: 100, about: "Hits that --rerank orders" },
    facets: { type: "flag", about: "Count years, types, journals, descriptors and languages" },
    format: {
      type: "text",
      hint: "NAME",
      choices: ["text", "json", "csv", "ris", "bibtex"],
      about: "Of the hits (default: text; --json: json)",
    },
    output: { type: "text", hint: "FILE", about: "Write the hits there" },
    ...overwriteOption,
    ...modelOptions,
  },
  examples: [
    ["search --index index heart failure", "the ten best"],
    ["search --index index 'aspirin[ti] AND 2010:2024[dp]' --format ris --output hits.ris", "for a reference manager"],
    ["search --index index aspirin --no-retracted --facets --json", "a line a hit, and one of facets"],
  ],
  stoppable: true,
  async run({ args, json, output, signal }) {
    const { formatted, openIndex, writeHits } = await import("../../search/index.ts");
    const { index: folder, similar, limit, offset, facets } = args;
    const query = args.query.join(" ");
    if ((query === "") === (similar === undefined)) {
      throw new UsageError(`expected either QUERY or --similar ID, got ${query === "" ? "neither" : "both"}`);
    }
    const format = (args.format ?? (json ? "json" : "text")) as SearchFormat;
    if (json && format !== "json" && args.output === undefined) {
      throw new UsageError(`--format: expected none or json with --json, got "${format}"`);
    }
    const filters = await filtersOf(args);
    await using index = await openIndex(folder, {
      ...loadOptions(args),
      model: args.model,
      reranker: args.rerank,
      reranked: args.reranked,
    });
    const mode = args.mode as SearchMode | undefined;
    const options: SearchOptions = { mode, limit, offset, filters, facets, signal, rerank: args.rerank !== undefined };
    const result = await (similar === undefined ? index.search(query, options) : index.similar(similar, options));
    for (const note of result.notes) output.note(`note: ${note}`);
    const { total, understood, notes, hits } = result;
    const about = { total, mode: result.mode, understood, notes, facets: result.facets };
    if (args.output !== undefined) {
      await writeHits(args.output, index, result, format);
      if (json) await output.json({ output: args.output, hits: hits.length, ...about });
      else await output.write(`${args.output}  ${hits.length} hits\n`);
      return;
    }
    const documents = await index.documents(hits.map(({ id }) => id));
    const toTerminal = process.stdout.isTTY === true;
    const text = formatted(format, result, documents, {
      width: toTerminal ? process.stdout.columns : undefined,
      colour: toTerminal && process.env["NO_COLOR"] === undefined,
      first: offset + 1,
    });
    await output.write(text);
    if (format === "json" && facets) await output.json({ facets: result.facets, total });
  },
});
export default search;
