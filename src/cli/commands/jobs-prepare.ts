/** `galen jobs prepare`: job.json of a training that waited for its inputs. Scripts of launchers call it. */
import { type Command, command } from "../command.ts";

const prepare: Command = command({
  about: "Prepare a training whose inputs have come; scripts call it",
  details:
    "galen launch --after keeps what was asked for in DIR/launch.json, since data of a job before it are not there yet; the script calls this when they are, before the ranks start.",
  positionals: { dir: { required: true, about: "Folder of the job" } },
  options: {},
  examples: [
    ["jobs prepare jobs/later", "as DIR/submit/local.sh does"],
    ["jobs prepare jobs/later --json", "what it trains, as JSON"],
  ],
  stoppable: true,
  async run({ args, json, output, progress, signal }) {
    const { prepareLater } = await import("../../launch/index.ts");
    const { showProgress } = await import("../training.ts");
    const line = progress("preparing");
    const show = showProgress(line);
    const onEvent = (event: Parameters<typeof show>[0]): void => show(event);
    const onNote = (text: string): void => output.note(text);
    const job = await prepareLater(args.dir, { signal, onNote, onEvent }).finally(() => line.end());
    const { recipe, steps, model } = job;
    if (json) return output.json({ output: args.dir, recipe, steps, parameters: model.parameters });
    await output.write(
      `${args.dir}  ${recipe}, ${steps} updates of ${model.parameters.toLocaleString("en-US")} weights\n`,
    );
  },
});
export default prepare;
