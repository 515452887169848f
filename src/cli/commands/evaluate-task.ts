/** `galen evaluate task`: the published figures of a tuned model, and the sounder ones beside them. */
import { type Command, command, deviceOptions, folderOptions, loadOptions } from "../command.ts";
import { decodingOptions, toPredictOptions } from "../decoding-options.ts";

const evaluateTask: Command = command({
  about: "Score a tuned model on a task's test set",
  details:
    "Figures as published and, beside them, the sounder ones, with bootstrap intervals over documents; for relations and entities also what copying known names scores. The task is read from the model's task.json where TASK is left out.",
  positionals: { task: { about: "Name of a task, or a JSON file" } },
  options: {
    model: { type: "text", hint: "DIR", required: true, about: "Tuned model directory" },
    data: { type: "text", hint: "DIR", required: true, about: "Folder of the task's data" },
    split: {
      type: "text",
      hint: "NAME",
      choices: ["train", "valid", "test"],
      default: "test",
      about: "Which examples",
    },
    limit: { type: "integer", hint: "N", least: 1, about: "The first N examples only" },
    predictions: { type: "text", hint: "FILE", about: "Also write every answer as a JSON line" },
    ...decodingOptions,
    ...folderOptions,
    ...deviceOptions,
  },
  examples: [
    ["evaluate task ddi --model runs/ddi/model --data data/ddi", "on the test set"],
    ["evaluate task --model runs/mine/model --data my-data --split valid --json", "figures as JSON"],
  ],
  stoppable: true,
  async run({ args, ...terminal }) {
    const { openTuned } = await import("../../soft-prompts/predict.ts");
    const { evaluateTask: evaluate } = await import("../../finetune/evaluate.ts");
    const { runWindows, writeReport } = await import("../evaluation.ts");
    const { describeReport } = await import("../tasks.ts");
    await using tuned = await openTuned(args.model, { ...loadOptions(args), task: args.task });
    const { model, data, split, limit } = args;
    const { protocol, hash, report, baseline, examples, predictions } = await runWindows(args, terminal, (options) =>
      evaluate(tuned, { ...toPredictOptions(args), ...options, data, split: split as "test", limit }),
    );
    if (args.predictions !== undefined) {
      const { writeFileAtomically } = await import("../../io/files.ts");
      const lines = predictions.map((one, i) => `${JSON.stringify({ id: examples[i]!.id, ...one })}\n`);
      await writeFileAtomically(args.predictions, lines.join(""));
    }
    const text = `${describeReport(report, baseline)}protocol ${hash}\n`;
    await writeReport(args, terminal, { model, split, protocol, hash, report, baseline }, text);
  },
});

export default evaluateTask;
