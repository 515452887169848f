/** `galen rerank`: documents of each query in the order of a model's scores, or the scores for a student. */
import type { Scorer } from "../../retrieval/scorers.ts";
import { type Command, command, deviceOptions, loadOptions } from "../command.ts";

type Pair = readonly [query: string, document: string];

/** How scores of pairs differ from the float32 network's. */
interface Change {
  readonly pairs: number;
  readonly mean: number;
  readonly most: number;
  readonly rankCorrelation: number;
}

async function changeOf(exact: Scorer, pairs: readonly Pair[], scores: readonly number[]): Promise<Change> {
  const { spearman } = await import("../../metrics/correlation.ts");
  const expected = [...(await exact.pairs(pairs))];
  const apart = expected.map((score, i) => Math.abs(score - scores[i]!));
  return {
    pairs: pairs.length,
    mean: apart.reduce((sum, one) => sum + one, 0) / apart.length,
    most: Math.max(...apart),
    rankCorrelation: spearman(expected, scores),
  };
}

const rerank: Command = command({
  about: "Order documents by a reranker, ColBERT or an embedding model",
  details:
    'LISTS are JSON lines {"query", "documents"}. With --output the lists are written with "scores" (raw: logits of a reranker) and "transform": "none", in the documents\' own order, as training by a teacher\'s scores takes them; else each document on a line, best first.',
  positionals: { lists: { required: true, about: "JSON lines" } },
  options: {
    model: { type: "text", hint: "DIR", required: true, about: "Reranker, ColBERT or embedding model" },
    output: { type: "text", hint: "FILE", about: "Lists with scores" },
    int8: { type: "flag", about: "Linear layers in eight bits: faster, on the CPU; says how scores change" },
    ...deviceOptions,
  },
  examples: [
    ["rerank --model runs/reranker/model lists.jsonl", "best first"],
    ["rerank --model runs/reranker/model lists.jsonl --output scored.jsonl", "for embeddings-kl and colbert"],
  ],
  stoppable: true,
  async run({ args, json, output, progress, signal }) {
    const { openScorer } = await import("../../retrieval/scorers.ts");
    const { readExamples } = await import("../../encoders/data.ts");
    const { lists = [] } = await readExamples(args.lists, { kind: "pairs", loss: "binary" }, 1);
    await using scorer = await openScorer(args.model, {
      ...loadOptions(args),
      weights: args.int8 ? "int8" : "float32",
    });
    const line = progress("scoring");
    const scored: string[] = [];
    const first = { pairs: [] as Pair[], scores: [] as number[] };
    for (const [i, { query, documents }] of lists.entries()) {
      signal.throwIfAborted();
      const pairs = documents.map((text) => [query, text] as const);
      const scores = [...(await scorer.pairs(pairs))];
      if (args.int8 && first.pairs.length < 64) {
        first.pairs.push(...pairs);
        first.scores.push(...scores);
      }
      line.update({ done: i + 1, total: lists.length, unit: "lists" });
      if (args.output !== undefined) {
        scored.push(`${JSON.stringify({ query, documents, scores, transform: "none", scorer: scorer.kind })}\n`);
        continue;
      }
      const ranked = documents
        .map((text, place) => ({ text, score: scores[place]! }))
        .sort((a, b) => b.score - a.score);
      if (json) await output.json({ query, ranked });
      else
        await output.write(
          `${query}\n${ranked.map(({ text, score }) => `${score.toFixed(4).padStart(10)}  ${text}\n`).join("")}`,
        );
    }
    line.end();
    let int8: Change | undefined;
    if (first.pairs.length > 0) {
      await using exact = await openScorer(args.model, loadOptions(args));
      int8 = await changeOf(exact, first.pairs, first.scores);
      output.note(
        `int8: scores differ from float32 by ${int8.mean.toFixed(4)} (most ${int8.most.toFixed(4)} of ${int8.pairs} pairs), rank correlation ${int8.rankCorrelation.toFixed(4)}`,
      );
    }
    if (args.output === undefined) return;
    const { writeFileAtomically } = await import("../../io/files.ts");
    await writeFileAtomically(args.output, scored.join(""));
    const { kind } = scorer;
    if (json) await output.json({ output: args.output, lists: lists.length, scorer: kind, transform: "none", int8 });
    else await output.write(`${args.output}  ${lists.length} lists\n`);
  },
});
export default rerank;
