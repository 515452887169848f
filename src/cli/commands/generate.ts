/** `galen generate`: a model continues prompts, with every option of the library's `generate`. */
import { ConfigError, UsageError } from "../../errors.ts";
import type { GenerateOptions } from "../../generate/index.ts";
import type { Model } from "../../model.ts";
import { type Command, command, engineOption, modelOptions, loadOptions, modelOption } from "../command.ts";
import { generateOptions, inOptionNames, toGenerateOptions } from "../generate-options.ts";
import type { Output } from "../output.ts";
import { parseRows } from "../rows.ts";

async function linesOf(path: string): Promise<string[]> {
  const { readTexts } = await import("../../corpus/texts.ts");
  const lines: string[] = [];
  for await (const { text } of readTexts(path)) lines.push(text);
  if (lines.length === 0) throw new UsageError(`--prompts ${path}: expected one prompt a line, got none`);
  return lines;
}

/** Writes the text as it comes; false for beam search, asked for here or by the model's generation_config.json. */
async function stream(model: Model, prompt: string, options: GenerateOptions, output: Output): Promise<boolean> {
  let before = prompt;
  try {
    for await (const { text } of model.generateStream(options)) {
      await output.write(before + text);
      before = "";
    }
  } catch (error) {
    if (error instanceof ConfigError && error.message.startsWith("generateStream: numBeams")) return false;
    throw inOptionNames(error);
  }
  await output.write(`${before}\n`);
  return true;
}

type ChatArguments = Parameters<typeof loadOptions>[0] &
  Readonly<Record<string, unknown>> & {
    readonly model: string;
    readonly system: string | undefined;
  };

/** What the model says to a question; tokens that the question spells out are text. */
async function answer(
  question: string,
  args: ChatArguments,
  json: boolean,
  output: Output,
  signal: AbortSignal,
): Promise<void> {
  const { chatIds } = await import("../../tokenizers/chat.ts");
  const { loadTokenizer } = await import("../../tokenizers/files.ts");
  const tokenizer = await loadTokenizer(args.model);
  const system = args.system === undefined ? [] : [{ role: "system", content: args.system }];
  const messages = [...system, { role: "user", content: question }];
  const prompt = await chatIds(tokenizer, messages, { contentIsText: tokenizer.literal !== undefined });
  const { loadModel } = await import("../../model.ts");
  await using model = await loadModel(args.model, loadOptions(args));
  const options: GenerateOptions = { ids: [prompt], ...toGenerateOptions(args), signal };
  const { numReturnSequences = 1 } = options;
  if (numReturnSequences === 1 && !json && (await stream(model, "", options, output))) return;
  const { sequences, scores } = await model.generate(options).catch((error) => Promise.reject(inOptionNames(error)));
  for (const [i, sequence] of sequences.entries()) {
    const text = tokenizer.decode(sequence.slice(prompt.length), { skipSpecialTokens: true });
    if (json) await output.json({ prompt: question, text, score: scores[i], ids: sequence });
    else await output.write(`${text.replaceAll("\n", " ")}\n`);
  }
}

const generate: Command = command({
  about: "Continue prompts",
  details:
    "The text of one prompt appears as it is written; beam search and several prompts print when done, one text a line. Options are transformers', with its meanings and defaults, but that beam search ends a text that goes in circles: --no-repeat-guard gives transformers' results.",
  positionals: { prompt: { many: true, about: "Texts to continue; quote each" } },
  options: {
    model: { ...modelOption, required: true, about: "Model directory with its tokenizer" },
    prompts: {
      type: "text",
      hint: "FILE",
      about: 'Prompts from a file, one a line or JSON lines with "text"; - is stdin',
    },
    ids: { type: "text", hint: "IDS", about: "Prompts as ids instead: 2,9,33;2,4" },
    chat: {
      type: "text",
      hint: "TEXT",
      about: "A question instead, put by the model's chat template; prints the answer",
    },
    system: { type: "text", hint: "TEXT", about: "With --chat: what the model is told before the question" },
    ...generateOptions,
    ...modelOptions,
    ...engineOption,
  },
  examples: [
    ['generate --model runs/nano/model "Aspirin is" --max-new-tokens 40', "greedy search"],
    [
      "generate --model runs/nano/model --prompts prompts.txt --num-beams 5 --early-stopping true --json",
      "beam search, JSON lines",
    ],
    ['generate --model runs/chat/model --chat "What does aspirin inhibit?"', "a question to a model of conversations"],
  ],
  stoppable: true,
  async run({ args, json, output, signal }) {
    const given = [args.prompt.length > 0, args.prompts, args.ids, args.chat].filter(
      (one) => one !== undefined && one !== false,
    ).length;
    if (given !== 1)
      throw new UsageError(
        "PROMPT: expected PROMPT…, --prompts FILE, --ids IDS or --chat TEXT, got " + (given === 0 ? "none" : "several"),
      );
    if (args.chat !== undefined) return answer(args.chat, args, json, output, signal);
    if (args.system !== undefined) throw new UsageError("--system: expected --chat TEXT beside it, got none");
    const prompts = args.prompts === undefined ? args.prompt : await linesOf(args.prompts);
    const ids = args.ids === undefined ? undefined : parseRows("--ids", args.ids);
    const inputs: GenerateOptions = ids === undefined ? { prompts } : { ids };
    const options = { ...inputs, ...toGenerateOptions(args), signal };
    const { loadModel } = await import("../../model.ts");
    await using model = await loadModel(args.model, loadOptions(args));
    const { numReturnSequences = 1 } = options;
    const alone = prompts.length === 1 && numReturnSequences === 1 && !json;
    if (alone && (await stream(model, prompts[0]!, options, output))) return;
    const { sequences, scores, texts } = await model
      .generate(options)
      .catch((error) => Promise.reject(inOptionNames(error)));
    const perPrompt = sequences.length / (ids ?? prompts).length;
    for (const [i, sequence] of sequences.entries()) {
      const prompt = ids === undefined ? prompts[Math.floor(i / perPrompt)] : undefined;
      if (json) await output.json({ prompt, text: texts[i], score: scores[i], ids: sequence });
      else await output.write(`${texts[i] === "" ? sequence.join(",") : texts[i]!.replaceAll("\n", " ")}\n`);
    }
  },
});
export default generate;
