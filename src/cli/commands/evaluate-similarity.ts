/** `galen evaluate similarity`: do right pairs score above wrong ones? */
import { type Command, command, folderOptions, modelOption } from "../command.ts";
import { scorerLoadOptions, scorerOptions } from "../scorer-options.ts";

const evaluateSimilarity: Command = command({
  about: "Score right pairs of texts against wrong ones",
  details:
    'PAIRS are JSON lines {"query", "documents"} of which the first document is right, or the folder of PubMedQA (questions and long answers). Wrong pairs are made here, by --negatives, --per-positive and --seed: Pearson and AUC depend on them, ranks do not.',
  positionals: { pairs: { required: true, about: "JSON lines, or PubMedQA's folder" } },
  options: {
    model: { ...modelOption, required: true, about: "Embedding model, ColBERT or reranker; bm25" },
    negatives: { type: "text", hint: "KIND", choices: ["random", "bm25"], default: "random", about: "Wrong answers" },
    "per-positive": { type: "integer", hint: "N", least: 1, default: 1, about: "Wrong answers to a question" },
    seed: { type: "integer", hint: "N", least: 0, default: 1, about: "Of random wrong answers" },
    limit: { type: "integer", hint: "N", least: 2, about: "The first N pairs only" },
    ...folderOptions,
    ...scorerOptions,
  },
  examples: [
    ["evaluate similarity --model all-MiniLM-L6-v2 data/pubmedqa", "one random wrong answer to a question"],
    ["evaluate similarity --model runs/colbert/model pairs.jsonl --negatives bm25 --per-positive 5", "hard ones"],
  ],
  stoppable: true,
  async run({ args, ...terminal }) {
    const { openScorer } = await import("../../retrieval/scorers.ts");
    const { evaluateSimilarity: evaluate } = await import("../../eval/similarity.ts");
    const { streamPairs } = await import("../../tasks/pairs.ts");
    const { countCuts } = await import("../cuts.ts");
    const { runWindows, writeReport } = await import("../evaluation.ts");
    const cuts = countCuts();
    const { model, pairs, limit, negatives: kind, "per-positive": perPositive, seed } = args;
    await using scorer = await openScorer(model, { ...scorerLoadOptions(args), onCut: cuts.add });
    const negatives = { kind: kind as "random", perPositive, seed };
    const report = await runWindows(args, terminal, (options) =>
      evaluate(scorer, streamPairs(pairs, limit), negatives, options),
    );
    await writeReport(args, terminal, { model, kind: scorer.kind, label: args.label }, report, cuts);
  },
});
export default evaluateSimilarity;
