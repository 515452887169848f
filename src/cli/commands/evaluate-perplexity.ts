/** `galen evaluate perplexity`: how well a decoder predicts a text. */
import {
  columnOptions,
  columnsOf,
  type Command,
  command,
  modelOptions,
  folderOptions,
  loadOptions,
  modelOption,
} from "../command.ts";

const evaluatePerplexity: Command = command({
  about: "How well a model predicts a text",
  details:
    "Token and word perplexity and bits per byte, by windows that overlap. INPUT is documents (.xml, .xml.gz, .jsonl, .txt, dataset folders) or one prefix of token files. Word perplexity and bits per byte compare models with different tokenizers.",
  positionals: { input: { required: true, many: true, about: "Documents, or a prefix of token files" } },
  options: {
    model: { ...modelOption, required: true, about: "Model directory" },
    context: { type: "integer", hint: "N", least: 2, about: "Tokens of a window (default: the model's positions)" },
    stride: { type: "integer", hint: "N", least: 1, about: "Tokens between windows (default: half the context)" },
    ...columnOptions,
    ...folderOptions,
    ...modelOptions,
  },
  examples: [
    ["evaluate perplexity --model runs/nano/model held-out.jsonl", "on documents"],
    ["evaluate perplexity --model runs/nano/model runs/tokens/valid --stride 128", "on token files, with much overlap"],
  ],
  stoppable: true,
  async run({ args, ...terminal }) {
    const { openPerplexityText } = await import("../../eval/perplexity-text.ts");
    const { evaluatePerplexity: evaluate } = await import("../../eval/perplexity.ts");
    const { runWindows, writeReport } = await import("../evaluation.ts");
    const { model, context, stride } = args;
    const bar = terminal.progress("reading");
    const failures: string[] = [];
    const text = await openPerplexityText(args.input, model, {
      columns: columnsOf(args),
      signal: terminal.signal,
      onProgress: (done) => bar.update({ done, unit: "documents" }),
      onFailure: ({ source, message }) => void failures.push(`${source}: ${message}`),
    }).finally(() => bar.end());
    if (failures.length > 0) {
      terminal.output.note(`${failures.length} documents could not be read, the first: ${failures[0]}`);
    }
    const report = await runWindows(args, terminal, (options) =>
      evaluate(model, text, { ...loadOptions(args), ...options, context, stride }),
    );
    await writeReport(args, terminal, { model }, report);
  },
});
export default evaluatePerplexity;
