/** `galen similarity`: how like each other two texts are. */
import { UsageError } from "../../errors.ts";
import { type Command, command, deviceOptions, loadOptions } from "../command.ts";

const similarity: Command = command({
  about: "Score the first text against each other",
  details: "Cosine of an embedding model's vectors, MaxSim of ColBERT, or the raw logit of a reranker.",
  positionals: { text: { required: true, many: true, about: "A text, and those to compare it with" } },
  options: {
    model: { type: "text", hint: "DIR", required: true, about: "Embedding model, ColBERT or reranker" },
    ...deviceOptions,
  },
  examples: [
    ['similarity --model all-MiniLM-L6-v2 "heart attack" "myocardial infarction" "asthma"', "two scores"],
    ['similarity --model runs/reranker/model "does aspirin help?" "Aspirin lowers the risk."', "a reranker's logit"],
  ],
  async run({ args, json, output }) {
    const [first, ...others] = args.text as string[];
    if (others.length === 0) throw new UsageError("TEXT: expected at least two texts, got one");
    const { openScorer } = await import("../../retrieval/scorers.ts");
    await using scorer = await openScorer(args.model, loadOptions(args));
    const scores = await scorer.pairs(others.map((other) => [first!, other] as const));
    for (const [i, text] of others.entries()) {
      if (json) await output.json({ text, score: scores[i] });
      else await output.write(`${scores[i]!.toFixed(4)}  ${text}\n`);
    }
  },
});
export default similarity;
