/** `galen evaluate perplexity`: how well a decoder predicts a text. */
import { type Command, command, deviceOptions, loadOptions } from "../command.ts";

const evaluatePerplexity: Command = command({
  about: "How well a model predicts a text",
  details:
    "Token and word perplexity and bits per byte, by windows that overlap. INPUT is documents (.xml, .xml.gz, .jsonl, .txt, dataset folders) or one prefix of token files. Word perplexity and bits per byte compare models with different tokenizers.",
  positionals: { input: { required: true, many: true, about: "Documents, or a prefix of token files" } },
  options: {
    model: { type: "text", hint: "DIR", required: true, about: "Model directory" },
    context: { type: "integer", hint: "N", least: 2, about: "Tokens of a window (default: the model's positions)" },
    stride: { type: "integer", hint: "N", least: 1, about: "Tokens between windows (default: half the context)" },
    ...deviceOptions,
  },
  examples: [
    ["evaluate perplexity --model runs/nano/model held-out.jsonl", "on documents"],
    ["evaluate perplexity --model runs/nano/model runs/tokens/valid --stride 128", "on token files, with much overlap"],
  ],
  stoppable: true,
  async run({ args, json, output, progress, signal }) {
    const { openEvaluationText } = await import("../evaluation-text.ts");
    const { evaluatePerplexity: evaluate } = await import("../../eval/perplexity.ts");
    const reading = progress("reading");
    const text = await openEvaluationText(args.input, args.model, { signal, progress: reading, note: output.note });
    const line = progress("scoring");
    const result = await evaluate(args.model, text.stream, {
      ...loadOptions(args),
      context: args.context,
      stride: args.stride,
      words: text.words,
      bytes: text.bytes,
      signal,
      onProgress: ({ done, total, perplexity }) =>
        line.update({ done, total, unit: "tokens", text: `perplexity ${perplexity.toFixed(2)}` }),
    }).finally(() => line.end());
    if (json) return output.json({ model: args.model, ...result, documents: text.documents });
    const rows = [
      ["perplexity", `${result.perplexity.toFixed(3)} per token`],
      ["word perplexity", result.wordPerplexity?.toFixed(3) ?? "unknown: the token files do not say how many words"],
      ["bits per byte", result.bitsPerByte?.toFixed(4) ?? "unknown: the token files do not say how many bytes"],
      [
        "scored",
        `${result.tokens.toLocaleString("en-US")} tokens of ${text.documents.toLocaleString("en-US")} documents`,
      ],
      ["windows", `${result.context} tokens, ${result.stride} apart`],
    ];
    for (const [name, value] of rows) await output.write(`${name!.padEnd(17)}${value}\n`);
  },
});
export default evaluatePerplexity;
