/** `galen jobs list`: the jobs in a folder, a line each. */
import { DataError } from "../../errors.ts";
import { type Command, command } from "../command.ts";

const list: Command = command({
  about: "The jobs in a folder, and what has become of them",
  details: "Folders of jobs are looked for in FOLDER and one level below; galen jobs FOLDER is the same.",
  positionals: { folder: { many: true, about: "Where to look, or jobs themselves (default: the working folder)" } },
  options: {},
  examples: [
    ["jobs list jobs", "those in a folder"],
    ["jobs list jobs/nano jobs/embedded --json", "of some, all that is known"],
  ],
  async run({ args, json, output }) {
    const { findJobs, jobStatus } = await import("../../launch/index.ts");
    const { jobLine } = await import("../job-text.ts");
    const places = args.folder.length > 0 ? args.folder : ["."];
    const found = (await Promise.all(places.map((place) => findJobs(place)))).flat();
    if (found.length === 0) {
      throw new DataError(`${places.join(", ")}: expected folders of jobs, got none`, {
        hint: 'a job is the --output of "galen launch"',
      });
    }
    for (const folder of found) {
      const status = await jobStatus(folder);
      await (json ? output.json(status) : output.write(jobLine(status)));
    }
  },
});
export default list;
