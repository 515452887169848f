/** `galen plan corpus`: what a pipeline of curation takes on so many cores, by rates of a sample. */
import { UsageError } from "../../errors.ts";
import { type Command, command } from "../command.ts";
import { ratesOf, workPlanOptions } from "../plan-options.ts";

const planCorpusCommand: Command = command({
  about: "What curating takes: hours, disk, memory, what breaks first",
  details:
    "The pipeline runs on samples of its own sources, on this machine and in a temporary folder that goes afterwards, one thread and then all of them; hours of more text on more cores are reckoned from that, with what grows faster than the text: sorting, files that are opened, rounds of clusters. Ranges come from the samples' spread, from how much slower threads are beside each other, and from what is assumed, which the table names. Files, cores and machines are taken to be like these.",
  positionals: { file: { about: "The pipeline, such as corpus.yaml; not needed with --rates" } },
  options: {
    cores: { type: "integer", hint: "N", least: 1, about: "Cores of all machines (default: this machine's)" },
    machines: {
      type: "integer",
      hint: "N",
      least: 1,
      about: "Machines that share them, each a rank (default: one for 64)",
    },
    ...workPlanOptions,
    price: { ...workPlanOptions.price, about: "Price of a core for an hour" },
  },
  examples: [
    [
      "plan corpus samples/corpus.yaml --repeats 1 --save-rates rates.json --overwrite",
      "what lies in its sources, on this machine",
    ],
    [
      "plan corpus samples/corpus.yaml --repeats 1 --amount 4e12tokens --cores 1000 --price 0.05",
      "much more of the same",
    ],
  ],
  stoppable: true,
  async run({ args, json, output, progress, signal }) {
    const { amountFrom, measureCorpus, planCorpus, readCorpusRates } = await import("../../plan/work/index.ts");
    const { file, amount, cores, machines, price } = args;
    if (file === undefined && args.rates === undefined) {
      throw new UsageError("expected a pipeline, or --rates FILE, got neither");
    }
    const wanted = amount === undefined ? undefined : amountFrom(amount);
    const rates = await ratesOf(args, { output, signal, progress }, readCorpusRates, (options) =>
      measureCorpus(file!, options),
    );
    const plan = planCorpus(rates, { amount: wanted, cores, machines, price });
    if (json) return output.json(plan);
    const { corpusPlanText } = await import("../plan-work-text.ts");
    await output.write(corpusPlanText(plan, file ?? args.rates!));
  },
});
export default planCorpusCommand;
