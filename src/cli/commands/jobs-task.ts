/** `galen jobs task`: does tasks of an array. Scripts of launchers call it. */
import { UsageError } from "../../errors.ts";
import { type Command, command } from "../command.ts";
import { parallelOption } from "../launch-options.ts";

const task: Command = command({
  about: "Do tasks of an array; scripts call it",
  details:
    "Runs a task's command lines and leaves a marker in DIR/tasks when they have ended well: what has a marker is never done again. Ends with code 75 where other tasks have to come first, with 1 where one failed or was asked to stop.",
  positionals: {
    dir: { required: true, about: "Folder of the array" },
    numbers: { many: true, about: "Of tasks, from 0 (default: all that are not done)" },
  },
  options: { parallel: { ...parallelOption, default: 1, about: "Tasks at a time" } },
  examples: [
    ["jobs task jobs/embedded 0", "the first, as a task of Slurm's array does"],
    ["jobs task jobs/embedded --parallel 2 --json", "what is left, two at a time"],
  ],
  stoppable: true,
  async run({ args, json, output, signal }) {
    const { arrayState, comeAgain, finishArray, runTasks } = await import("../../launch/index.ts");
    const { ownCommand } = await import("../launching.ts");
    const numbers = args.numbers.map(numberFrom);
    const onLine = (line: string): void => output.note(`galen ${line}`);
    const once = numbers.length === 1;
    const { done, failed, again } = await runTasks(args.dir, {
      galen: ownCommand(),
      tasks: numbers.length > 0 ? numbers : undefined,
      parallel: args.parallel,
      once,
      signal,
      onLine,
    });
    await finishArray(args.dir);
    if (failed.length > 0) process.exitCode = 1;
    else if (again.length > 0) process.exitCode = comeAgain;
    const { tasks, left } = await arrayState(args.dir);
    if (json) return output.json({ output: args.dir, done, failed, again, tasks, left: left.length });
    await output.write(`${args.dir}  ${done} done now, ${tasks - left.length} of ${tasks} in all\n`);
  },
});
export default task;

/** @throws UsageError */
function numberFrom(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new UsageError(`expected the number of a task, from 0, got "${text}"`);
}
