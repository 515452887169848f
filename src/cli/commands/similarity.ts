/** `galen similarity`: how like each other two texts are. */
import { UsageError } from "../../errors.ts";
import type { OnCut } from "../../retrieval/index.ts";
import { type Command, command, modelOption } from "../command.ts";
import { scorerLoadOptions, scorerOptions } from "../scorer-options.ts";

const similarity: Command = command({
  about: "Score the first text against each other",
  details:
    "Likeness of an embedding model's vectors (cosine unless its directory says otherwise), MaxSim of ColBERT, or the raw logit of a reranker. The first text is read as a query and the others as documents, with the model's prompts for each where it has some.",
  positionals: { text: { required: true, many: true, about: "A text, and those to compare it with" } },
  options: {
    model: { ...modelOption, required: true, about: "Embedding model, ColBERT or reranker" },
    ...scorerOptions,
  },
  examples: [
    ['similarity --model all-MiniLM-L6-v2 "heart attack" "myocardial infarction" "asthma"', "two scores"],
    ['similarity --model runs/reranker/model "does aspirin help?" "Aspirin lowers the risk."', "a reranker's logit"],
  ],
  async run({ args, json, output }) {
    const [first, ...others] = args.text as string[];
    if (others.length === 0) throw new UsageError("TEXT: expected at least two texts, got one");
    const { openScorer } = await import("../../retrieval/scorers.ts");
    const { countCuts } = await import("../cuts.ts");
    const cuts = countCuts();
    const cut = new Set<string>();
    const onCut: OnCut = (found) => {
      cuts.add(found);
      for (const text of found.texts) cut.add(text);
    };
    await using scorer = await openScorer(args.model, { ...scorerLoadOptions(args), onCut });
    const scores = await scorer.pairs(others.map((other) => [first!, other] as const));
    for (const [i, text] of others.entries()) {
      if (json) await output.json({ text, score: scores[i], ...(cut.has(text) && { cut: true }) });
      else await output.write(`${scores[i]!.toFixed(4)}  ${text}\n`);
    }
    cuts.say(output);
  },
});
export default similarity;
