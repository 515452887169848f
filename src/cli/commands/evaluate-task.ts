/** `galen evaluate task`: the published figures of a tuned model, and the sounder ones beside them. */
import { type Command, command, deviceOptions, loadOptions } from "../command.ts";
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
    ...deviceOptions,
  },
  examples: [
    ["evaluate task ddi --model runs/ddi/model --data data/ddi", "on the test set"],
    ["evaluate task --model runs/mine/model --data my-data --split valid --json", "figures as JSON"],
  ],
  stoppable: true,
  async run({ args, json, output, progress, signal }) {
    const { openTuned } = await import("../../finetune/predict.ts");
    const { evaluateTask: evaluate } = await import("../../finetune/evaluate.ts");
    await using tuned = await openTuned(args.model, { ...loadOptions(args), task: args.task });
    const bar = progress("answering");
    const { report, baseline, examples, predictions } = await evaluate(tuned, {
      ...toPredictOptions(args),
      data: args.data,
      split: args.split as "test",
      limit: args.limit,
      signal,
      onProgress: (done, total) => bar.update({ done, total, unit: "examples" }),
    }).finally(() => bar.end());
    if (args.predictions !== undefined) {
      const { writeFileAtomically } = await import("../../checkpoints/files.ts");
      const lines = predictions.map((one, i) => `${JSON.stringify({ id: examples[i]!.id, ...one })}\n`);
      await writeFileAtomically(args.predictions, lines.join(""));
    }
    if (json) return output.json({ model: args.model, split: args.split, report, baseline });
    const { describeReport } = await import("../tasks.ts");
    await output.write(describeReport(report, baseline));
  },
});

export default evaluateTask;
