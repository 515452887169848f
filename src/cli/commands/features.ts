/** `galen features`: hidden states of texts as JSON lines. */
import { type Command, command, modelOptions, fileOptions, loadOptions, modelOption } from "../command.ts";

const features: Command = command({
  about: "Hidden states of texts, per token or pooled",
  details:
    "One JSON line a text: its vector, or with --pool none its tokens, their offsets in the text and a vector each.",
  positionals: { text: { many: true, about: "Texts; quote each" } },
  options: {
    model: { ...modelOption, required: true, about: "Model directory with its tokenizer" },
    ...fileOptions,
    pool: {
      type: "text",
      hint: "HOW",
      choices: ["none", "mean", "last", "first", "pooler"],
      default: "mean",
      about: "One vector a token, or how they become one",
    },
    ...modelOptions,
  },
  examples: [
    ['features --model biogpt "Aspirin inhibits cyclooxygenase."', "the mean of the hidden states"],
    ["features --model biogpt --file sentences.txt --pool none", "every token's"],
  ],
  stoppable: true,
  async run({ args, output, signal }) {
    const { featuresOfTexts, openFeatures } = await import("../../features.ts");
    const { decimals } = await import("../output.ts");
    const { countCuts } = await import("../cuts.ts");
    const { textsOf } = await import("../texts.ts");
    const given = textsOf(args.text, args, signal);
    await using extractor = await openFeatures(args.model, loadOptions(args));
    const cuts = countCuts();
    const found = featuresOfTexts(extractor, given, { pool: args.pool as "mean", signal });
    for await (const { text, ids, tokens, offsets, vectors, cut } of found) {
      cuts.one(text, cut);
      if (args.pool !== "none") await output.json({ text, vector: decimals(vectors[0]!), cut });
      else await output.json({ text, ids, tokens, offsets, vectors: vectors.map(decimals), cut });
    }
    cuts.say(output);
  },
});

export default features;
