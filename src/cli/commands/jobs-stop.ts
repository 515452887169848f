/** `galen jobs stop`: lets a job save and end, or ends it at once. */
import { type Command, command } from "../command.ts";

const stop: Command = command({
  about: "Let a job save and stop",
  details:
    "A training saves after its update and ends; tasks of an array end in order. What waits for the job does not begin. galen jobs resume goes on.",
  positionals: { dir: { required: true, about: "Folder of the job" } },
  options: {
    now: { type: "flag", about: "At once, by its launcher: what was done since the last checkpoint is done again" },
    wait: { type: "integer", hint: "SECONDS", least: 1, default: 600, about: "How long to wait for its end" },
  },
  examples: [
    ["jobs stop jobs/nano", "returns when it has ended"],
    ["jobs stop jobs/nano --now --json", "as after a crash; how it ended, as JSON"],
  ],
  stoppable: true,
  async run({ args, json, output, progress, signal }) {
    const { stopJob } = await import("../../launch/index.ts");
    const line = progress("stopping");
    const status = await stopJob(args.dir, {
      now: args.now,
      seconds: args.wait,
      signal,
      onWait: ({ outcome }, seconds) =>
        line.update({ done: Math.round(seconds), total: args.wait, unit: "seconds", text: outcome }),
    }).finally(() => line.end());
    if (json) return output.json(status);
    const { jobText } = await import("../job-text.ts");
    await output.write(jobText(status));
  },
});
export default stop;
