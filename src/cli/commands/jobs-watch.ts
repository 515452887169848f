/** `galen jobs watch`: where a job is, once or until it ends. */
import { type Command, command } from "../command.ts";

const watch: Command = command({
  about: "Where a job is: loss, speed, utilisation, slow and stopped ranks",
  details:
    "State, updates, loss, tokens a second, time left; utilisation is the share of the accelerators' dense peak that 6 N a token are; the slowest rank by a small computation that each does alone; ranks without a sign of life; and of a run that failed the rank that stopped first, with its last words. With --follow until it ends: the exit code is 0 where it ended well, so that another command can wait for it.",
  positionals: { dir: { required: true, about: "Folder of the job" } },
  options: { follow: { type: "flag", about: "Stay until it has ended" } },
  examples: [
    ["jobs watch jobs/nano", "a job that galen launch made"],
    ["jobs watch jobs/nano --json", "all that is known, as JSON"],
  ],
  stoppable: true,
  async run({ args, json, output, progress, signal }) {
    if (args.follow) {
      const { showJob } = await import("../launching.ts");
      return showJob(args.dir, { json, output, progress, signal }, false);
    }
    const { jobStatus } = await import("../../launch/index.ts");
    const status = await jobStatus(args.dir);
    if (json) return output.json(status);
    const { jobText } = await import("../job-text.ts");
    await output.write(jobText(status));
  },
});
export default watch;
