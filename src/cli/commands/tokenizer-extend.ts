/** `galen tokenizer extend`: a vocabulary learned on from documents, and what that changes. */
import { UsageError } from "../../errors.ts";
import { columnOptions, columnsOf, type Command, command, modelOption } from "../command.ts";

const tokenizerExtend: Command = command({
  about: "Learn more tokens behind a tokenizer's own",
  details:
    "Learning goes on from where the vocabulary of BASE ended, on titles and texts of documents as galen tokenizer train reads them. Old tokens keep ids and ranks: a text without new tokens has the ids that it had. Nothing merges across digits, punctuation or words. DIR gets the files that BASE has (tokenizer.json, tokenizer.model, vocab.json and merges.txt, vocab.txt). The report is of documents that were held out, and of those of --general. A model takes the tokenizer with galen train RECIPE --model MODEL --tokenizer DIR: rows of new tokens begin as the mean of the pieces that they take the place of.",
  positionals: {
    base: { required: true, part: "tokenizer", about: "Tokenizer or model directory, or a name of the hub" },
    input: { required: true, many: true, about: "Documents" },
  },
  options: {
    tokens: { type: "integer", hint: "N", least: 1, required: true, about: "Tokens to learn" },
    output: { type: "text", hint: "DIR", required: true, about: "Tokenizer directory to make" },
    general: { type: "text", hint: "FILE", many: "greedy", about: "Other documents, to report what changes in them" },
    model: {
      ...modelOption,
      about: "With --general: how well this model of BASE predicts them, before and right after, by how new rows begin",
    },
    "held-out": {
      type: "number",
      hint: "SHARE",
      least: 0,
      default: 0.02,
      about: "Share of the documents that figures are of, and nothing is learned from",
    },
    seed: { type: "integer", hint: "N", least: 0, default: 1, about: "Which documents are held out" },
    overwrite: { type: "flag", about: "Replace a tokenizer that is there" },
    ...columnOptions,
  },
  examples: [
    [
      "tokenizer extend runs/bytes pubmed/ --tokens 40 --general texts.jsonl --output runs/extended",
      "40 tokens of the domain, and what changes in other texts",
    ],
    [
      "tokenizer extend runs/chat/model pubmed/ --tokens 40 --general texts.jsonl --model runs/chat/model --output runs/extended",
      "with what a model's predictions of them lose before it is trained",
    ],
  ],
  stoppable: true,
  async run({ args, json, output, progress, signal }) {
    if (args.model !== undefined && args.general.length === 0) {
      throw new UsageError("--model: expected --general too, the texts that it predicts");
    }
    const { describeFailure } = await import("../../corpus/documents.ts");
    const { extendFromDocuments } = await import("../../corpus/extend-tokenizer.ts");
    const line = progress("reading");
    const failures: string[] = [];
    const report = await extendFromDocuments(args.base, args.input, {
      output: args.output,
      tokens: args.tokens,
      heldOut: args["held-out"],
      seed: args.seed,
      general: args.general,
      overwrite: args.overwrite,
      columns: columnsOf(args),
      signal,
      onFailure: (failure) => void failures.push(describeFailure(failure)),
      onProgress: ({ documents, read }) => {
        line.update({ done: documents, unit: "documents" });
        if (!read) return;
        line.end();
        output.note(`learning from ${documents.toLocaleString("en-US")} documents`);
      },
    }).finally(() => line.end());
    if (failures.length > 0) output.note(`${failures.length} documents could not be read, the first: ${failures[0]}`);
    const loss =
      args.model === undefined
        ? undefined
        : await (
            await import("../extension-loss.ts")
          ).extensionLoss(args.model, args.output, args.general, {
            signal,
            told: (what) => output.note(`predicting general texts, ${what}`),
          });
    if (json) return output.json({ output: args.output, ...report, loss, failures: failures.length });
    const { extensionText } = await import("../extension.ts");
    await output.write(extensionText(args.output, report, loss));
  },
});
export default tokenizerExtend;
