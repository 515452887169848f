/** `galen finetune`: a BioGPT learns a task. */
import { type Command, command, deviceOptions } from "../command.ts";

const finetune: Command = command({
  about: "Teach a model a task: relations, entities, labels or answers",
  details:
    'TASK is bc5cdr, ddi, kd-dti, hoc, pubmedqa, pubmedqa-large, ner-chemical, ner-disease, ner-gene, ner-jnlpba, or a JSON file of your own: {"kind": "relation", "relations": [names]}, {"kind": "entities", "types": [names]} or {"kind": "classification", "labels": [names]}; --data then has train.jsonl, valid.jsonl and test.jsonl, lines {"id", "text"} with "relations": [{"head", "tail", "relation"}], "entities": [{"start", "end", "type"}] or "labels": [names]. The published hyperparameters are the default; settings of the form path=value change them (epochs=5, schedule.peak=1e-4, mode=lora, mode=prompt, average=1, tokensPerBatch=2048). DIR gets metrics.jsonl, checkpoints/ and, at the end, model/ in Hugging Face\'s format with task.json. Ctrl-C saves and stops.',
  positionals: {
    task: { required: true, about: "Name of a task, or a JSON file" },
    settings: { many: true, about: "path=value…" },
  },
  options: {
    model: { type: "text", hint: "DIR", required: true, about: "Model directory to start from" },
    data: { type: "text", hint: "DIR", required: true, about: "Folder of the task's data" },
    output: { type: "text", hint: "DIR", required: true, about: "Folder of the run" },
    resume: { type: "flag", about: "Go on from the last checkpoint in --output" },
    limit: { type: "integer", hint: "N", least: 1, about: "Learn from the first N examples only" },
    ...deviceOptions,
  },
  examples: [
    ["finetune ddi --model biogpt --data data/ddi --output runs/ddi", "as published"],
    ["finetune ner-disease epochs=5 --model biogpt --data data/ner/NCBI-disease --output runs/ner", "named entities"],
    ["finetune my-relations.json --model biogpt --data my-data --output runs/mine", "relations of your own"],
  ],
  stoppable: true,
  async run({ args, json, output, progress, signal }) {
    const { runFinetuning } = await import("../tasks.ts");
    const settings = [
      ...(args.device === undefined ? [] : [`device=${args.device}`]),
      ...(args.threads === undefined ? [] : [`threads=${args.threads}`]),
      ...args.settings,
    ];
    const { task, model, data, resume, limit } = args;
    await runFinetuning(
      { task, model, data, output: args.output, settings, resume, limit, signal },
      { json, output, progress },
    );
  },
});

export default finetune;
