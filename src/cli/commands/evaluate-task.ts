/** `galen evaluate task`: the published figures of a tuned model, and the sounder ones beside them. */
import {
  type Command,
  command,
  exampleOptions,
  modelOptions,
  folderOptions,
  loadOptions,
  modelOption,
  overwriteOption,
} from "../command.ts";
import { decodingOptions, toPredictOptions } from "../decoding-options.ts";

const evaluateTask: Command = command({
  about: "Score a tuned model on a task's test set",
  details:
    "Figures as published and, beside them, the sounder ones, with bootstrap intervals over documents; and what answers without a model score (copying known names, the commonest answer). The task is read from the model's task.json where TASK is left out.",
  positionals: { task: { about: "Name of a task, or a JSON file" } },
  options: {
    model: { ...modelOption, required: true, about: "Tuned model directory" },
    data: { type: "text", hint: "DIR", required: true, about: "Folder of the task's data" },
    ...exampleOptions,
    predictions: { type: "text", hint: "FILE", about: "Also write every answer as a JSON line" },
    ...overwriteOption,
    ...decodingOptions,
    ...folderOptions,
    ...modelOptions,
  },
  examples: [
    ["evaluate task ddi --model runs/ddi/model --data data/ddi", "on the test set"],
    ["evaluate task --model runs/mine/model --data my-data --split valid --json", "figures as JSON"],
  ],
  stoppable: true,
  async run({ args, ...terminal }) {
    const { openTuned } = await import("../../soft-prompts/predict.ts");
    const { askTuned } = await import("../../eval/abilities.ts");
    const { evaluate } = await import("../../eval/evaluate.ts");
    const { countCuts } = await import("../cuts.ts");
    const { runWindows, writeReport } = await import("../evaluation.ts");
    const { model, data, limit } = args;
    const split = args.split as "test";
    await using tuned = await openTuned(model, { ...loadOptions(args), task: args.task });
    const { report, examples, replies } = await runWindows(args, terminal, (options) =>
      evaluate(tuned.task, askTuned(tuned, toPredictOptions(args)), { ...options, data, split, limit }),
    );
    if (args.predictions !== undefined) {
      const { writeFileAtomically } = await import("../../io/files.ts");
      const lines = replies.map((one, i) => `${JSON.stringify({ id: examples[i]!.id, ...(one as object) })}\n`);
      await writeFileAtomically(args.predictions, lines.join(""));
    }
    const cuts = countCuts("examples");
    for (const [i, reply] of replies.entries()) {
      cuts.one(tuned.task.source(examples[i]!), (reply as { readonly cut?: boolean }).cut === true);
    }
    await writeReport(args, terminal, { model }, report, cuts);
  },
});

export default evaluateTask;
