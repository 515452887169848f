/** `galen tokenizer train`: a tokenizer learned from documents. */
import { columnOptions, columnsOf, type Command, command } from "../command.ts";

const tokenizerTrain: Command = command({
  about: "Learn a tokenizer from documents",
  details:
    "Reads .xml, .xml.gz, .jsonl, .csv, .tsv, .parquet, .txt and dataset folders; titles and abstracts are learned from. DIR gets the files of a Hugging Face tokenizer.",
  positionals: { input: { required: true, many: true, about: "Documents" } },
  options: {
    output: { type: "text", hint: "DIR", required: true, about: "Tokenizer directory to make" },
    family: {
      type: "text",
      hint: "NAME",
      // The kinds of tokenizer that can be learned, which help must not load.
      choices: ["biogpt", "bert", "byte-bpe", "metaspace-bpe"],
      default: "biogpt",
      about:
        "biogpt (byte pair encoding of Moses tokens), bert (WordPiece, lower case), byte-bpe (of bytes, as GPT-2 and Llama 3 have it) or metaspace-bpe (of characters, as LLaMA has it)",
    },
    overwrite: { type: "flag", about: "Replace a tokenizer that is there" },
    ...columnOptions,
    "vocab-size": { type: "integer", hint: "N", least: 1, default: 8192, about: "Tokens of the vocabulary" },
  },
  examples: [
    ["tokenizer train pubmed/ --output runs/tokenizer", "BioGPT's kind, 8,192 tokens"],
    [
      "tokenizer train datasets/pubmed --output runs/wordpiece --family bert --vocab-size 30522",
      "BERT's kind from a dataset",
    ],
    ["tokenizer train pubmed/ --output runs/bytes --family byte-bpe --vocab-size 16000", "for a LLaMA, of bytes"],
  ],
  stoppable: true,
  async run({ args, json, output, progress, signal }) {
    const { describeFailure } = await import("../../corpus/documents.ts");
    const { learnTokenizer } = await import("../../corpus/learn-tokenizer.ts");
    const line = progress("reading");
    const columns = columnsOf(args);
    let documents = 0;
    let failures = 0;
    let first: string | undefined;
    const tokenizer = await learnTokenizer(args.input, {
      output: args.output,
      kind: args.family,
      vocabSize: args["vocab-size"],
      overwrite: args.overwrite,
      columns,
      signal,
      onFailure: (failure) => {
        failures += 1;
        first ??= describeFailure(failure);
      },
      onProgress: (done) => {
        documents = done.documents;
        line.update({ done: documents, unit: "documents" });
        if (!done.read) return;
        line.end();
        output.note(`learning from ${documents.toLocaleString("en-US")} documents`);
      },
    });
    if (first !== undefined) output.note(`${failures} documents could not be read, the first: ${first}`);
    const { family, vocabSize } = tokenizer;
    const files = [...tokenizer.files().keys()];
    if (json) return output.json({ output: args.output, family, vocabSize, documents, failures, files });
    await output.write(`${args.output}  ${family}, ${vocabSize} tokens: ${files.join(", ")}\n`);
  },
});
export default tokenizerTrain;
