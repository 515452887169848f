/** `galen generate`: a model continues prompts, with every option of the library's `generate`. */
import { UsageError } from "../../errors.ts";
import type { GenerateOptions } from "../../generate/index.ts";
import { type Command, command, deviceOptions, loadOptions } from "../command.ts";
import { generateOptions, toGenerateOptions } from "../generate-options.ts";
import { readLines } from "../lines.ts";
import { parseRows } from "../rows.ts";

async function linesOf(path: string): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of readLines(path)) if (line.trim() !== "") lines.push(line);
  if (lines.length === 0) throw new UsageError(`--prompts ${path}: expected one prompt a line, got none`);
  return lines;
}

const generate: Command = command({
  about: "Continue prompts",
  details:
    "The text of one prompt appears as it is written; beam search and several prompts print when done, one text a line. Options are transformers', with its meanings and defaults.",
  positionals: { prompt: { many: true, about: "Texts to continue; quote each" } },
  options: {
    model: { type: "text", hint: "DIR", required: true, about: "Model directory with its tokenizer" },
    prompts: { type: "text", hint: "FILE", about: "Prompts from a file, one a line; - is stdin" },
    ids: { type: "text", hint: "IDS", about: "Prompts as ids instead: 2,9,33;2,4" },
    ...generateOptions,
    ...deviceOptions,
  },
  examples: [
    ['generate --model runs/nano/model "Aspirin is" --max-new-tokens 40', "greedy search"],
    ['generate --model runs/nano/model "Aspirin is" --do-sample --top-p 0.9 --seed 7', "sampling"],
    [
      "generate --model runs/nano/model --prompts prompts.txt --num-beams 5 --early-stopping true --json",
      "beam search, JSON lines",
    ],
  ],
  async run({ args, json, output }) {
    const given = [args.prompt.length > 0, args.prompts !== undefined, args.ids !== undefined].filter(Boolean).length;
    if (given !== 1)
      throw new UsageError(
        "PROMPT: expected PROMPT…, --prompts FILE or --ids IDS, got " + (given === 0 ? "none" : "several"),
      );
    const prompts = args.prompts === undefined ? args.prompt : await linesOf(args.prompts);
    const ids = args.ids === undefined ? undefined : parseRows("--ids", args.ids);
    const inputs: GenerateOptions = ids === undefined ? { prompts } : { ids };
    const options = { ...inputs, ...toGenerateOptions(args) };
    const { loadModel } = await import("../../model.ts");
    await using model = await loadModel(args.model, loadOptions(args));
    const { numBeams = 1, numReturnSequences = 1, scoring } = options;
    if (!json && prompts.length === 1 && numBeams === 1 && numReturnSequences === 1 && scoring !== "fairseq") {
      await output.write(prompts[0]!);
      for await (const { text } of model.generateStream(options)) await output.write(text);
      return output.write("\n");
    }
    const { sequences, scores, texts } = await model.generate(options);
    const perPrompt = sequences.length / (ids ?? prompts).length;
    for (const [i, sequence] of sequences.entries()) {
      const prompt = ids === undefined ? prompts[Math.floor(i / perPrompt)] : undefined;
      if (json) await output.json({ prompt, text: texts[i], score: scores[i], ids: sequence });
      else await output.write(`${texts[i] === "" ? sequence.join(",") : texts[i]!.replaceAll("\n", " ")}\n`);
    }
  },
});
export default generate;
