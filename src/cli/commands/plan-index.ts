/** `galen plan index`: what an index of so many documents takes, by rates of samples. */
import { UsageError } from "../../errors.ts";
import {
  batchLoadOptions,
  columnOptions,
  columnsOf,
  type Command,
  command,
  modelOption,
  modelOptions,
} from "../command.ts";
import { ratesOf, workPlanOptions } from "../plan-options.ts";

const planIndex: Command = command({
  about: "What an index takes: hours, disk, memory",
  details:
    "Samples of INPUT are indexed on this machine as galen index would, in a temporary folder that goes afterwards, each twice as large as the one before.",
  positionals: { input: { many: true, about: "Documents; not needed with --rates" } },
  options: {
    model: { ...modelOption, about: "Sentence Transformers directory (default: by words alone)" },
    store: { type: "text", hint: "NAME", choices: ["exact", "lance"], default: "exact", about: "What keeps it" },
    machines: {
      type: "integer",
      hint: "N",
      least: 1,
      default: 1,
      about: "Machines like this one, each with an index of its own",
    },
    ...workPlanOptions,
    price: { ...workPlanOptions.price, about: "Price of a machine for an hour" },
    ...columnOptions,
    int8: { type: "flag", about: "Embed in eight bits" },
    ...modelOptions,
  },
  examples: [
    ["plan index samples/pubmed-sample.xml --repeats 1 --json", "what is there, as JSON"],
    ["plan index samples/pubmed-sample.xml --amount 38e6documents --repeats 1", "all of PubMed, by words alone"],
  ],
  stoppable: true,
  async run({ args, json, output, progress, signal }) {
    const { amountFrom, measureDocuments, planDocuments, readDocumentRates } = await import("../../plan/work/index.ts");
    const { input, model = null, amount, machines, price } = args;
    if (input.length === 0 && args.rates === undefined)
      throw new UsageError("expected INPUT, or --rates FILE, got neither");
    const store = args.store as "exact" | "lance";
    const wanted = amount === undefined ? undefined : amountFrom(amount);
    const columns = columnsOf(args);
    const load = batchLoadOptions(args);
    const read = (path: string): ReturnType<typeof readDocumentRates> => readDocumentRates(path, "index");
    const rates = await ratesOf(args, { output, signal, progress }, read, async (options) => {
      const { indexDocuments } = await import("../../search/index.ts");
      const run = async (paths: readonly string[], folder: string): Promise<void> => {
        const given = { output: folder, model: model ?? undefined, store, columns, ...load, signal };
        await indexDocuments(paths, { ...given, onCut: () => {}, onFailure: () => {} });
      };
      return measureDocuments(input, { job: "index", model, store, threads: args.threads, columns, run }, options);
    });
    const plan = planDocuments(rates, { amount: wanted, machines, price });
    if (json) return output.json(plan);
    const { documentPlanText } = await import("../plan-work-text.ts");
    await output.write(documentPlanText(plan));
  },
});
export default planIndex;
