/** `galen plot`: loss, held-out loss, what else a training measures, rate and speed of training runs. */
import { DataError } from "../../errors.ts";
import { type Command, command, overwriteOption } from "../command.ts";

const plot: Command = command({
  about: "Curves of training runs",
  details:
    "Loss, held-out loss, what a training measures beside it (rewards, accuracies), learning rate and speed of one run or several, from their metrics.jsonl, on the terminal or as an SVG file. A run that is still going on can be looked at.",
  positionals: { run: { required: true, many: true, about: "Folders of runs" } },
  options: {
    svg: { type: "text", hint: "FILE", about: "Write the curves there instead" },
    ...overwriteOption,
    height: { type: "integer", hint: "N", least: 2, default: 10, about: "Lines of a curve on the terminal" },
  },
  examples: [
    ["plot runs/nano", "on the terminal"],
    ["plot runs/nano runs/classes --svg runs.svg", "two runs beside each other, for a browser"],
  ],
  async run({ args, json, output }) {
    const { readMetrics } = await import("../../train/index.ts");
    const runs = await Promise.all(args.run.map(async (name) => ({ name, metrics: await readMetrics(name) })));
    const empty = runs.find(({ metrics }) => metrics.loss.length === 0);
    if (empty !== undefined) throw new DataError(`${empty.name}: expected a run with updates, got none yet`);
    if (args.svg !== undefined) {
      const { svgCharts } = await import("../charts.ts");
      const { writeFileAtomically } = await import("../../io/files.ts");
      await writeFileAtomically(args.svg, await svgCharts(runs));
      if (json) return output.json({ output: args.svg, runs: args.run });
      return output.write(`${args.svg}  ${runs.length} run${runs.length === 1 ? "" : "s"}\n`);
    }
    if (json) {
      for (const { name, metrics } of runs) await output.json({ run: name, ...metrics });
      return;
    }
    const { terminalCharts } = await import("../charts.ts");
    const { columns = 80, isTTY = false } = process.stdout;
    await output.write(await terminalCharts(runs, { width: columns, height: args.height, colours: isTTY }));
  },
});
export default plot;
