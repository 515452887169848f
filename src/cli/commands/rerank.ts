/** `galen rerank`: documents of each query in the order of a model's scores, or the scores for a student. */
import { type Command, command, deviceOptions, loadOptions } from "../command.ts";

const rerank: Command = command({
  about: "Order documents by a reranker, ColBERT or an embedding model",
  details:
    'LISTS are JSON lines {"query", "documents"}. With --output the lists are written with "scores" (raw: logits of a reranker) and "transform": "none", in the documents\' own order, as training by a teacher\'s scores takes them; else each document on a line, best first.',
  positionals: { lists: { required: true, about: "JSON lines" } },
  options: {
    model: { type: "text", hint: "DIR", required: true, about: "Reranker, ColBERT or embedding model" },
    output: { type: "text", hint: "FILE", about: "Lists with scores" },
    ...deviceOptions,
  },
  examples: [
    ["rerank --model runs/reranker/model lists.jsonl", "best first"],
    ["rerank --model runs/reranker/model lists.jsonl --output scored.jsonl", "for embeddings-kl and colbert"],
  ],
  stoppable: true,
  async run({ args, json, output, progress, signal }) {
    const { openScorer } = await import("../../eval/scorers.ts");
    const { readExamples } = await import("../../encoders/data.ts");
    const { lists = [] } = await readExamples(args.lists, { kind: "pairs", loss: "binary" }, 1);
    await using scorer = await openScorer(args.model, loadOptions(args));
    const line = progress("scoring");
    const scored: string[] = [];
    for (const [i, { query, documents }] of lists.entries()) {
      signal.throwIfAborted();
      const scores = [...(await scorer.pairs(documents.map((text) => [query, text] as const)))];
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
    if (args.output === undefined) return;
    const { writeFileAtomically } = await import("../../checkpoints/files.ts");
    await writeFileAtomically(args.output, scored.join(""));
    if (json) await output.json({ output: args.output, lists: lists.length, scorer: scorer.kind, transform: "none" });
    else await output.write(`${args.output}  ${lists.length} lists\n`);
  },
});
export default rerank;
