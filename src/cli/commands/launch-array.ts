/** `galen launch array`: command lines of Galen's, many times, as tasks of an engine. */
import { type Command, command } from "../command.ts";
import { onOption, parallelOption, submitOptions } from "../launch-options.ts";

const array: Command = command({
  about: "Array work: a command for each of many inputs, or in many shares",
  details:
    "COMMAND is a command line of Galen's behind --, without the leading galen. {input} in it stands for each of what --over names, {name} for an input's name without folder and endings, {task} for a task's number from 0, {tasks} for how many there are. Curation, corpus run, has shares of its own: --tasks is enough. Every command line is checked before anything is handed in; a task that is done has a marker in DIR/tasks and is never done again, and commands that can be gone on with (--resume) are. What commands write to stdout is in DIR/parts.",
  positionals: {
    command: {
      required: true,
      many: true,
      about: "Behind --: such as extract {input} --model M --output mined/{name}",
    },
  },
  options: {
    on: { ...onOption, required: true },
    over: { type: "text", hint: "INPUT", many: "greedy", about: "What {input} stands for: files, folders, names" },
    tasks: { type: "integer", hint: "N", least: 1, about: "How many tasks (default: one for each input)" },
    output: { type: "text", hint: "DIR", required: true, about: "Folder of the job" },
    parallel: parallelOption,
    ...submitOptions,
  },
  examples: [
    [
      "launch array --on slurm --over abstracts.jsonl trials.jsonl --output jobs/vectors --dry-run -- embed --model all-MiniLM-L6-v2 --file {input} --output vectors/{name}.npy",
      "vectors of each file; --dry-run says what would be handed in",
    ],
    [
      "launch array --on local --tasks 2 --output jobs/corpus --dry-run -- corpus run samples/corpus.yaml --output runs/shared --workers 1",
      "curation in two shares, here; on Slurm in 40 it is the same line with another name",
    ],
  ],
  stoppable: true,
  async run({ args, json, output, progress, signal }) {
    const { launchArray } = await import("../../launch/index.ts");
    const { announce, submitValues } = await import("../launching.ts");
    const { checkedCommand, checkLines } = await import("../array-commands.ts");
    const checked = await checkedCommand(args.command);
    const plan = { command: checked.command, over: args.over, tasks: args.tasks };
    await checkLines(plan, checked);
    const submission = await launchArray(
      { ...plan, output: args.output },
      { ...submitValues(args), on: args.on as "local" },
    );
    await announce(submission, { json, output, progress, signal }, { detach: args.detach, name: args.output });
  },
});
export default array;
