/** `galen plan extract`: what mining so many documents for relations takes, by rates of samples. */
import { UsageError } from "../../errors.ts";
import { columnOptions, columnsOf, type Command, command, loadOptions, modelOption, modelOptions } from "../command.ts";
import { decodingOptions, toPredictOptions } from "../decoding-options.ts";
import { ratesOf, workPlanOptions } from "../plan-options.ts";

const planExtract: Command = command({
  about: "What mining documents for relations takes: hours, disk, memory",
  details:
    "Samples of INPUT are mined on this machine as galen extract would, in a temporary folder that goes afterwards, each twice as large as the one before. Documents are mined one by one, so that machines share them as they lie.",
  positionals: { input: { many: true, about: "Documents; not needed with --rates" } },
  options: {
    model: { ...modelOption, about: "Model directory tuned for relations; not needed with --rates" },
    schema: { type: "text", hint: "TASK", about: "Name of a task or a JSON file, where the model has no task.json" },
    machines: { type: "integer", hint: "N", least: 1, default: 1, about: "Machines like this one" },
    ...workPlanOptions,
    sample: { ...workPlanOptions.sample, default: 0.05, about: "How much is measured, in megabytes of text" },
    price: { ...workPlanOptions.price, about: "Price of a machine for an hour" },
    ...columnOptions,
    ...decodingOptions,
    ...modelOptions,
  },
  examples: [
    ["plan extract pubmed/*.xml.gz --model runs/ddi/model --repeats 1", "on this machine"],
    [
      "plan extract pubmed/*.xml.gz --model runs/ddi/model --amount 38e6documents --machines 100 --repeats 1",
      "all of PubMed",
    ],
  ],
  stoppable: true,
  async run({ args, json, output, progress, signal }) {
    const { amountFrom, measureDocuments, planDocuments, readDocumentRates } = await import("../../plan/work/index.ts");
    const { input, model, amount, machines, price } = args;
    if (args.rates === undefined && (input.length === 0 || model === undefined)) {
      throw new UsageError("expected INPUT and --model, or --rates FILE, got neither");
    }
    const wanted = amount === undefined ? undefined : amountFrom(amount);
    const columns = columnsOf(args);
    const read = (path: string): ReturnType<typeof readDocumentRates> => readDocumentRates(path, "extract");
    const rates = await ratesOf(args, { output, signal, progress }, read, async (options) => {
      const { extract } = await import("../../extract/index.ts");
      const { openTuned } = await import("../../soft-prompts/predict.ts");
      await using tuned = await openTuned(model!, { ...loadOptions(args), task: args.schema });
      const run = async (paths: readonly string[], folder: string): Promise<void> => {
        const given = { ...toPredictOptions(args), output: folder, columns, signal };
        const { stopped } = await extract(tuned, paths, { ...given, onFailure: () => {} });
        if (stopped) signal.throwIfAborted();
      };
      const job = { job: "extract", model: model!, store: null, threads: args.threads, columns, run } as const;
      return measureDocuments(input, job, options);
    });
    const plan = planDocuments(rates, { amount: wanted, machines, price });
    if (json) return output.json(plan);
    const { documentPlanText } = await import("../plan-work-text.ts");
    await output.write(documentPlanText(plan));
  },
});
export default planExtract;
