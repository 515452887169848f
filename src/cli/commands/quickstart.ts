/** `galen quickstart`: from PubMed records to a model that writes, in minutes. */
import { type Command, command } from "../command.ts";

const quickstart: Command = command({
  about: "Make a small model from PubMed records and let it write",
  details:
    "Reads documents, learns a vocabulary, trains a small BioGPT, measures it on held-out text and continues three prompts. Without --data it uses the sample that comes with Galen: about two minutes on two cores. Called again, it goes on where it was ended, or shows what it made.",
  options: {
    data: {
      type: "text",
      hint: "FILE",
      many: "greedy",
      about: "PubMed XML, JSONL, text or folders (default: the sample)",
    },
    output: { type: "text", hint: "DIR", default: "galen-out", about: "Folder for tokenizer, tokens and model" },
    prompt: { type: "text", hint: "TEXT", many: "repeat", about: "To continue (default: three of our own)" },
    steps: {
      type: "integer",
      hint: "N",
      least: 1,
      about: "Training steps (default: eleven passes over the text, 600 at most)",
    },
    seed: { type: "integer", hint: "N", least: 0, default: 1, about: "Of every random choice" },
    threads: { type: "integer", hint: "N", least: 1, about: "Threads (default: one a core)" },
    overwrite: { type: "flag", about: "Start over, in place of what an earlier quickstart left in --output" },
  },
  examples: [
    ["quickstart", "on the sample"],
    ["quickstart --data pubmed26n0001.xml.gz mine.jsonl --output runs/mine", "on your own records"],
    ['quickstart --prompt "Metformin lowers" --steps 200', "shorter, with a prompt of your own"],
  ],
  stoppable: true,
  async run({ args, ...terminal }) {
    const { runQuickstart } = await import("../quickstart.ts");
    await runQuickstart(args, terminal);
  },
});
export default quickstart;
