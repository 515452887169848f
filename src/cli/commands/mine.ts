/** `galen mine`: wrong documents that look right, for training. */
import { UsageError } from "../../errors.ts";
import { type Command, command, modelOptions, loadOptions, modelOption, overwriteOption } from "../command.ts";
import type { Progress } from "../progress.ts";

const mine: Command = command({
  about: "Hard negatives for pairs of queries and documents",
  details:
    'PAIRS are JSON lines {"query", "documents"}, the right document first; wrong ones are chosen among all documents of the file, those behind the first of a list too, and never one that stands first for the same query. OUTPUT has lists {"query", "documents"}; with --scores the scores of MODEL too, which a training takes for those of a teacher. OUTPUT.json says which PAIRS and MODEL they were made of. Texts and vectors go to temporary files without a name on the disk of OUTPUT, 4 bytes for a number of a vector: 1.5 KB a document for 384 numbers, some 90 KB for ColBERT. Memory holds neither; bm25 holds its counts of words.',
  positionals: { pairs: { required: true, about: "JSON lines" } },
  options: {
    model: { ...modelOption, required: true, about: "Embedding model or ColBERT; bm25; random" },
    output: { type: "text", hint: "FILE", required: true, about: "Lists, as JSON lines" },
    ...overwriteOption,
    negatives: { type: "integer", hint: "N", least: 1, default: 3, about: "Wrong documents of a query" },
    skip: { type: "integer", hint: "N", least: 0, default: 0, about: "Leave out so many of the best" },
    margin: {
      type: "number",
      hint: "X",
      least: 0,
      default: 0.05,
      about: "Wrong ones score (1 − X) times the right one at most",
    },
    scores: { type: "flag", about: "Write the scores" },
    seed: { type: "integer", hint: "N", least: 0, default: 1, about: "Of random ones" },
    ...modelOptions,
  },
  examples: [
    ["mine --model random pairs.jsonl --output easy.jsonl", "what a reranker learns from first"],
    ["mine --model all-MiniLM-L6-v2 pairs.jsonl --output lists.jsonl --negatives 7", "seven a query"],
    ["mine --model bm25 pairs.jsonl --output lists.jsonl --skip 2 --margin 0", "by shared words"],
  ],
  stoppable: true,
  async run({ args, json, output, progress, signal }) {
    const { openScorer } = await import("../../retrieval/scorers.ts");
    const { mineNegatives } = await import("../../retrieval/mine.ts");
    const { streamRows } = await import("../../tasks/pairs.ts");
    const { writeLists } = await import("../../tasks/lists.ts");
    const { countCuts } = await import("../cuts.ts");
    const { dirname } = await import("node:path");
    const isRandom = args.model === "random";
    if (isRandom && args.scores) throw new UsageError("--scores: expected a model that scores, got random");
    const cuts = countCuts();
    const onCut = cuts.add;
    await using opened = isRandom ? undefined : await openScorer(args.model, { ...loadOptions(args), onCut });
    const bars: { [stage: string]: Progress } = {};
    let pairs = 0;
    const found = mineNegatives(opened ?? { kind: "random", seed: args.seed }, streamRows(args.pairs), {
      negatives: args.negatives,
      skip: args.skip,
      relativeMargin: args.margin,
      scores: args.scores,
      folder: dirname(args.output),
      signal,
      onProgress({ stage, done, total }) {
        if (stage === "pairs") pairs = done;
        (bars[stage] ??= progress("mining")).update({ done, total, unit: stage });
      },
    });
    const lists = await writeLists(args.output, found, { model: args.model, texts: args.pairs, signal });
    for (const bar of Object.values(bars)) bar.end();
    cuts.say(output);
    if (json) return output.json({ output: args.output, pairs, lists, ...cuts.json() });
    await output.write(`${args.output}  ${lists} lists of ${pairs} pairs\n`);
  },
});
export default mine;
