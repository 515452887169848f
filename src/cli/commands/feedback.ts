/** `galen feedback`: people judge answers on a page; what they say is reported, and becomes lines for trainings. */
import { UsageError } from "../../errors.ts";
import {
  type Command,
  command,
  type Context,
  loadOptions,
  modelOptions,
  type Positional,
  type Values,
} from "../command.ts";
import { listenOptions, serveUntilStopped, servingOptions } from "../serving.ts";

const options = {
  prompts: {
    type: "text",
    hint: "FILE",
    about: "JSON lines {prompt}, {prompt, answers} or {prompt, chosen, rejected}, or a table; prompts may be messages",
  },
  output: {
    type: "text",
    hint: "FILE",
    about: "JSON lines of judgements, appended to; prompts and answers are kept beside it. With --export: its lines",
  },
  model: {
    type: "text",
    hint: "MODEL",
    part: "model",
    many: "greedy",
    about: "A decoder, or NAME=MODEL, that answers the prompts that have no answers",
  },
  answers: {
    type: "integer",
    hint: "N",
    least: 1,
    about: "Of each model to each prompt (default: 2 of one model, else 1)",
  },
  temperature: {
    type: "number",
    hint: "T",
    least: 0,
    about: "Of answers that are drawn (default: 1; of one answer each 0, the likeliest)",
  },
  "top-p": { type: "number", hint: "P", least: 0, default: 1, about: "Draw from the likeliest tokens of this share" },
  "max-new-tokens": { type: "integer", hint: "N", least: 1, default: 256, about: "Most tokens of an answer" },
  seed: { type: "integer", hint: "N", least: 0, default: 0, about: "Of answers, and of their order on each screen" },
  report: {
    type: "text",
    hint: "FILE",
    about: "Judgements to report on: agreement, bias, pairs on which people disagree",
  },
  export: { type: "text", hint: "FILE", about: "Judgements to write as pairs {prompt, chosen, rejected}" },
  unpaired: { type: "flag", about: "With --export: single answers {prompt, completion, label}" },
  disagreements: {
    type: "text",
    hint: "WHAT",
    choices: ["leave-out", "majority"],
    default: "leave-out",
    about: "With --export: what becomes of that on which people disagree",
  },
  ...servingOptions,
  ...modelOptions,
} as const;

const feedback: Command = command({
  about: "People judge answers on a page: rank them, mark what is wrong",
  details:
    "With --prompts a page is served: each person gives a name and sees a prompt with its answers in an order of their own, without who wrote them and without what others said. Keys do everything (? shows them). What is acknowledged is on disk; the same command goes on where people stopped, several may judge at once. Only this machine reaches the page unless --host says otherwise, and then a token is needed. --report says what people agree on, --export writes lines for trainings.",
  options,
  examples: [
    [
      "feedback --prompts questions.jsonl --model runs/chat/model --output judgements.jsonl",
      "two answers of a model to each prompt",
    ],
    ["feedback --report judged.jsonl", "agreement, position bias, ties, time, disagreements"],
    ["feedback --export judged.jsonl --output preferences.jsonl", "for galen train preference and reward"],
  ],
  stoppable: true,
  async run(context) {
    const { prompts, output, report, export: exported } = context.args;
    const ways = Object.entries({ prompts, report, export: exported }).filter(([, value]) => value !== undefined);
    if (ways.length !== 1) {
      const got = ways.length === 0 ? "none" : ways.map(([name]) => `--${name}`).join(" and ");
      throw new UsageError(`expected one of --prompts FILE, --report FILE and --export FILE, got ${got}`);
    }
    if (report !== undefined) return showReport(report, context);
    if (output === undefined) throw new UsageError("expected --output FILE, got none");
    if (exported !== undefined) return writeExport(exported, output, context);
    return judge(prompts!, output, context);
  },
});
export default feedback;

type Own = Context<Values<typeof options, Record<never, Positional>>>;

async function showReport(file: string, { json, output }: Own): Promise<void> {
  const { feedbackText, reportFeedback } = await import("../../feedback/index.ts");
  const report = await reportFeedback(file);
  if (json) return output.json(report);
  return output.write(feedbackText(report));
}

async function writeExport(file: string, path: string, { args, json, output }: Own): Promise<void> {
  const { writePreferences } = await import("../../feedback/index.ts");
  const { unpaired } = args;
  const disagreements = args.disagreements as "leave-out" | "majority";
  const lines = await writePreferences(file, path, { unpaired, disagreements });
  if (json) return output.json({ output: path, lines });
  return output.write(`${path}: ${lines} ${unpaired ? "answer" : "pair"}${lines === 1 ? "" : "s"}\n`);
}

async function judge(prompts: string, path: string, { args, json, output, progress, signal }: Own): Promise<void> {
  const { serveFeedback } = await import("../../serve/index.ts");
  const listen = listenOptions(args, output);
  const bar = progress("answering");
  const start = performance.now();
  await using server = await serveFeedback({
    prompts,
    output: path,
    models: args.model,
    answers: args.answers,
    temperature: args.temperature,
    topP: args["top-p"],
    tokens: args["max-new-tokens"],
    seed: args.seed,
    load: loadOptions(args),
    signal,
    onProgress: (done, total) =>
      bar.update({ done, total, unit: "prompts", rate: (1000 * done) / (performance.now() - start) }),
    ...listen,
  }).finally(() => bar.end());
  const { items, leftOut } = server;
  output.note(`${items} prompts to judge; judgements go to ${path}`);
  if (leftOut > 0) output.note(`${leftOut} prompts are left out: they have no two different answers`);
  await serveUntilStopped(server, { json, output, signal, open: args.open, token: listen.token });
}
