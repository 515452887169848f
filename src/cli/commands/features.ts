/** `galen features`: hidden states of texts as JSON lines. */
import { UsageError } from "../../errors.ts";
import { type Command, command, deviceOptions, loadOptions } from "../command.ts";
import { readLines } from "../../io/lines.ts";
import { decimals } from "../output.ts";

const features: Command = command({
  about: "Hidden states of texts, per token or pooled",
  details:
    "One JSON line a text: its vector, or with --pool none its tokens, their offsets in the text and a vector each.",
  positionals: { text: { many: true, about: "Texts; quote each" } },
  options: {
    model: { type: "text", hint: "DIR", required: true, about: "Model directory with its tokenizer" },
    file: { type: "text", hint: "FILE", about: "Texts from a file, one a line; - is stdin" },
    pool: {
      type: "text",
      hint: "HOW",
      choices: ["none", "mean", "last", "first", "pooler"],
      default: "mean",
      about: "One vector a token, or how they become one",
    },
    ...deviceOptions,
  },
  examples: [
    ['features --model biogpt "Aspirin inhibits cyclooxygenase."', "the mean of the hidden states"],
    ["features --model biogpt --file sentences.txt --pool none", "every token's"],
  ],
  async run({ args, output }) {
    if (args.text.length > 0 === (args.file !== undefined)) {
      throw new UsageError(`TEXT: expected texts or --file FILE, got ${args.file === undefined ? "none" : "both"}`);
    }
    const { openFeatures } = await import("../../features.ts");
    await using extractor = await openFeatures(args.model, loadOptions(args));
    const pool = args.pool as "mean";
    const write = async (texts: readonly string[]): Promise<void> => {
      for (const [i, { ids, tokens, offsets, vectors, cut }] of (await extractor.features(texts, { pool })).entries()) {
        const text = texts[i]!;
        if (cut) output.note(`longer than the model takes, cut: ${text.slice(0, 60)}`);
        if (args.pool === "none")
          await output.write(
            `${JSON.stringify({ text, ids, tokens, offsets, vectors: vectors.map(decimals), cut })}\n`,
          );
        else await output.write(`${JSON.stringify({ text, vector: decimals(vectors[0]!), cut })}\n`);
      }
    };
    if (args.file === undefined) return write(args.text);
    const window: string[] = [];
    for await (const line of readLines(args.file)) {
      if (line.trim() !== "") window.push(line);
      if (window.length === 256) await write(window.splice(0));
    }
    if (window.length > 0) await write(window);
  },
});

export default features;
