/** `galen classify`: the class of every text, with probabilities. */
import { type Command, command, deviceOptions, loadOptions } from "../command.ts";

const classify: Command = command({
  about: "Classes of texts",
  details: "Of a multi-label classifier: those that are likelier than not, perhaps none.",
  positionals: { text: { many: true, about: "Texts; quote each" } },
  options: {
    model: { type: "text", hint: "DIR", required: true, about: "Classifier's directory" },
    file: { type: "text", hint: "FILE", about: 'Texts from a file, one a line or JSON lines with "text"; - is stdin' },
    "max-tokens": {
      type: "integer",
      hint: "N",
      least: 3,
      about: "Texts are cut to this (default: the model's length)",
    },
    ...deviceOptions,
  },
  examples: [
    ["classify --model runs/classes/model --file abstracts.jsonl", "a class a line"],
    ['classify --model runs/classes/model "A trial of statins after stroke." --json', "all probabilities"],
  ],
  stoppable: true,
  async run({ args, json, output, signal }) {
    const { loadClassifier } = await import("../../labellers.ts");
    const { textWindows } = await import("../texts.ts");
    await using classifier = await loadClassifier(args.model, loadOptions(args));
    for await (const window of textWindows(args.text, args.file, 256)) {
      signal.throwIfAborted();
      const texts = window.map(({ text }) => text);
      const found = await classifier.classify(texts, { maxTokens: args["max-tokens"] });
      for (const [i, { label, labels, probabilities }] of found.entries()) {
        const { id, text } = window[i]!;
        const shown = labels.map((one) => `${one}  ${probabilities[one]!.toFixed(3)}`).join("  ") || "(no label)";
        if (json) await output.json({ id, ...(classifier.multiLabel ? { labels } : { label }), probabilities });
        else await output.write(`${shown}  ${text.slice(0, 80)}\n`);
      }
    }
  },
});
export default classify;
