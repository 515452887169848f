/** `galen jobs resume`: hands a job in again. */
import { type Command, command } from "../command.ts";
import { onOption, parallelOption, rankOptions, submitOptions } from "../launch-options.ts";

const resume: Command = command({
  about: "Go on with a job that ended or was stopped",
  details:
    "A training goes on from its last whole checkpoint, on as many ranks as are named; an array does the tasks that are not done. What is not named is as it was, on another launcher all but its own options.",
  positionals: { dir: { required: true, about: "Folder of the job" } },
  options: {
    on: { ...onOption, about: "What runs it (default: what ran it before)" },
    ranks: { type: "integer", hint: "N", least: 1, about: "Processes (default: as before)" },
    parallel: parallelOption,
    ...rankOptions,
    ...submitOptions,
  },
  examples: [
    ["jobs resume jobs/nano --on local --ranks 1 --dry-run", "on one rank; --dry-run says what would run"],
    ["jobs resume jobs/nano --on slurm --option partition=gpu --dry-run", "what began here goes on on a cluster"],
  ],
  stoppable: true,
  async run({ args, json, output, progress, signal }) {
    const { resumeJob } = await import("../../launch/index.ts");
    const { announce, submitValues } = await import("../launching.ts");
    const submission = await resumeJob(args.dir, submitValues(args));
    await announce(submission, { json, output, progress, signal }, { detach: args.detach, name: args.dir });
  },
});
export default resume;
