/** `galen jobs fetch`: the model of a training that is done. */
import { type Command, command } from "../command.ts";

const fetchJob: Command = command({
  about: "The model of a training that is done, each file checked",
  details:
    "Every file is compared with the size and hash that done.json has of it. Where the cluster's disk is not this machine's, copy the job's folder here first.",
  positionals: { dir: { required: true, about: "Folder of the job" } },
  options: { output: { type: "text", hint: "DIR", required: true, about: "Folder of the model" } },
  examples: [
    ["jobs fetch jobs/done --output models/nano", "what galen serve and every other command takes"],
    ["jobs fetch jobs/done --output models/nano --json", "how many files and bytes, as JSON"],
  ],
  async run({ args, json, output, progress }) {
    const { fetchModel } = await import("../../launch/index.ts");
    const line = progress("fetching");
    const onBytes = (done: number, total: number): void => line.update({ done, total, unit: "bytes" });
    const fetched = await fetchModel(args.dir, args.output, { onBytes }).finally(() => line.end());
    if (json) return output.json(fetched);
    const { files, bytes, step } = fetched;
    await output.write(`${args.output}  ${files} files, ${(bytes / 1e6).toFixed(1)} MB, after ${step} updates\n`);
  },
});
export default fetchJob;
