/** `galen tokenize`: texts to ids, pieces and offsets; or documents to the token files that training reads. */
import { UsageError } from "../../errors.ts";
import { columnOptions, columnsOf, type Command, command, tokenizerOption } from "../command.ts";

const tokenize: Command = command({
  about: "Texts to tokens, or documents to training files",
  details:
    "Prints one JSON line for every line of FILE or stdin, or for the text of every JSON line or row of a table: ids, tokens, and the range of each token in the text (UTF-16 units). With --output the inputs are documents (.xml, .xml.gz, .jsonl, .csv, .tsv, .parquet, .txt, dataset folders, - for JSON lines on stdin), and DIR gets token files in Megatron's format for training and held out.",
  positionals: { input: { many: true, about: "File of lines (default: stdin); with --output, documents" } },
  options: {
    tokenizer: { ...tokenizerOption, required: true, about: "Tokenizer or model directory" },
    output: {
      type: "text",
      hint: "DIR",
      about: "Write token files of documents there: train and valid, .bin and .idx",
    },
    "held-out": {
      type: "number",
      hint: "SHARE",
      least: 0,
      default: 0.01,
      about: "With --output: share of documents held out",
    },
    ...columnOptions,
    seed: { type: "integer", hint: "N", least: 0, default: 1, about: "With --output: which documents are held out" },
    overwrite: { type: "flag", about: "Replace token files that are there" },
  },
  examples: [
    ["tokenize --tokenizer runs/tokenizer abstracts.txt", "a JSON line for every line of the file"],
    ["tokenize --tokenizer runs/tokenizer < abstracts.txt | jq -c .ids", "from stdin, ids only"],
    ["tokenize --tokenizer runs/tokenizer --output runs/tokens pubmed/", "training files of a folder of PubMed XML"],
  ],
  stoppable: true,
  async run({ args, json, output, progress, signal }) {
    const { loadTokenizer } = await import("../../tokenizers/files.ts");
    const tokenizer = await loadTokenizer(args.tokenizer);
    if (args.output === undefined) {
      if (args.input.length > 1) throw new UsageError(`FILE: expected one file, got ${args.input.length}`);
      const { readTexts } = await import("../../corpus/texts.ts");
      for await (const { text } of readTexts(args.input[0] ?? "-", {
        keepBlank: true,
        signal,
        columns: columnsOf(args),
      })) {
        const { ids, tokens, offsets } = tokenizer.encode(text);
        await output.json({ ids, tokens, offsets });
      }
      return;
    }
    if (args.input.length === 0) throw new UsageError("INPUT: expected documents to write token files of, got none");
    const { tokenizeDocuments } = await import("../../corpus/tokenize.ts");
    const { describeFailure } = await import("../../corpus/documents.ts");
    const line = progress("tokenizing");
    let first: string | undefined;
    const { failures, ...manifest } = await tokenizeDocuments(args.input, tokenizer, {
      output: args.output,
      heldOut: args["held-out"],
      seed: args.seed,
      overwrite: args.overwrite,
      columns: columnsOf(args),
      signal,
      onFailure: (failure) => (first ??= describeFailure(failure)),
      onProgress: ({ documents, tokens }) =>
        line.update({ done: documents, unit: "documents", text: `${(tokens / 1e6).toFixed(1)}M tokens` }),
    }).finally(() => line.end());
    if (first !== undefined) output.note(`${failures} documents could not be read, the first: ${first}`);
    if (json) return output.json({ output: args.output, ...manifest });
    for (const name of ["train", "valid"] as const) {
      const { documents, tokens } = manifest[name];
      const counts = `${documents.toLocaleString("en-US")} documents, ${tokens.toLocaleString("en-US")} tokens`;
      await output.write(`${args.output}/${name}  ${counts}\n`);
    }
  },
});
export default tokenize;
