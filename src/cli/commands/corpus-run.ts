/** `galen corpus run`: a pipeline of curation, or this machine's share of it. */
import { type Command, command } from "../command.ts";

const corpusRun: Command = command({
  about: "Clean, filter, deduplicate, de-identify and mix a corpus, by a pipeline",
  details:
    "FILE is YAML (or a TypeScript module that exports the same as default): sources, stages in order, and a mixture. DIR/dataset is the result, a folder that every command takes and that datasets and DuckDB read; DIR/report.html says what each rule kept, changed and dropped, with examples. DIR/stages holds what each stage left: what is finished is never done again, so the same line goes on after Ctrl-C or a crash, and a changed stage is done again with what follows it alone. With --rank and --world any launcher runs it on many machines that share DIR: examples/cluster has it for Slurm, Ray and Kubernetes.",
  positionals: { file: { required: true, about: "The pipeline, such as corpus.yaml" } },
  options: {
    output: { type: "text", hint: "DIR", required: true, about: "Folder of the work and of the result" },
    rank: { type: "integer", hint: "I", least: 0, about: "Which share of the work, from 0" },
    world: { type: "integer", hint: "N", least: 1, about: "How many shares there are" },
    "no-wait": {
      type: "flag",
      about: "End with code 75 where other ranks have to come first, instead of waiting for them: call it again",
    },
    workers: { type: "integer", hint: "N", least: 0, about: "Threads (default: one a core)" },
    prune: { type: "flag", about: "Remove what earlier pipelines left in DIR/stages" },
  },
  examples: [
    ["corpus run samples/corpus.yaml --output runs/corpus", "on this machine, a thread a core"],
    [
      "corpus run samples/corpus.yaml --output runs/corpus --workers 4 --prune",
      "what earlier pipelines left there is removed",
    ],
  ],
  stoppable: true,
  async run({ args, json, output, progress, signal }) {
    const { describeUnfinished, runPipeline, WaitingForRanks } = await import("../../curate/index.ts");
    const { describeRun } = await import("../corpus-text.ts");
    const line = progress("curating");
    const summary = await runPipeline({
      file: args.file,
      output: args.output,
      rank: args.rank,
      world: args.world,
      wait: !args["no-wait"],
      workers: args.workers,
      prune: args.prune,
      signal,
      onProgress({ step, bytes, bytesDone, tasks, tasksDone, waiting }) {
        const text = waiting === undefined ? `${step}, task ${tasksDone} of ${tasks}` : describeUnfinished(waiting);
        line.update({ done: bytesDone, total: bytes, unit: "bytes", text });
      },
    })
      .catch((error: unknown) => {
        if (!(error instanceof WaitingForRanks)) throw error;
        return error.unfinished;
      })
      .finally(() => line.end());
    if ("missing" in summary) {
      process.exitCode = 75; // EX_TEMPFAIL
      if (json) return output.json({ output: args.output, waiting: summary });
      output.note(`${describeUnfinished(summary)}: call it again later`);
      return;
    }
    if (json) return output.json({ output: args.output, ...summary });
    await output.write(describeRun(summary, args.output));
  },
});
export default corpusRun;
