/** `galen classify`: the class of every text, with probabilities. */
import { type Command, command, modelOptions, fileOptions, loadOptions, modelOption } from "../command.ts";

const classify: Command = command({
  about: "Classes of texts",
  details: "Of a multi-label classifier: those that are likelier than not, perhaps none.",
  positionals: { text: { many: true, about: "Texts; quote each" } },
  options: {
    model: { ...modelOption, required: true, about: "Classifier's directory" },
    ...fileOptions,
    "max-tokens": {
      type: "integer",
      hint: "N",
      least: 3,
      about: "Texts are cut to this (default: the model's length)",
    },
    ...modelOptions,
  },
  examples: [
    ["classify --model runs/classes/model --file abstracts.jsonl", "a class a line"],
    ["classify --model runs/classes/model --file trials.csv --text-column abstract", "of a table's column"],
    ['classify --model runs/classes/model "A trial of statins after stroke." --json', "all probabilities"],
  ],
  stoppable: true,
  async run({ args, json, output, signal }) {
    const { classifyTexts, loadClassifier } = await import("../../labellers.ts");
    const { countCuts } = await import("../cuts.ts");
    const { textsOf } = await import("../texts.ts");
    const texts = textsOf(args.text, args, signal);
    await using classifier = await loadClassifier(args.model, loadOptions(args));
    const classified = classifyTexts(classifier, texts, { maxTokens: args["max-tokens"], signal });
    const cuts = countCuts();
    for await (const { id, text, label, labels, probabilities, cut } of classified) {
      cuts.one(text, cut);
      const shown = labels.map((one) => `${one}  ${probabilities[one]!.toFixed(3)}`).join("  ") || "(no label)";
      const found = classifier.multiLabel ? { labels } : { label };
      if (json) await output.json({ id, ...found, probabilities, ...(cut && { cut }) });
      else await output.write(`${shown}  ${text.slice(0, 80)}\n`);
    }
    cuts.say(output);
  },
});
export default classify;
