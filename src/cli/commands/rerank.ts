/** `galen rerank`: documents of each query in the order of a model's scores, or the scores for a student. */
import { batchLoadOptions, type Command, command, modelOption, overwriteOption } from "../command.ts";
import { noteEightBits } from "../eight-bits.ts";
import { scorerLoadOptions, scorerOptions } from "../scorer-options.ts";

const rerank: Command = command({
  about: "Order documents by a reranker, ColBERT or an embedding model",
  details:
    'LISTS are JSON lines {"query", "documents"}. With --output the lists are written with "scores" (raw: logits of a reranker, log-odds of one class where it has several) and "transform": "none", in the documents\' own order, as training by a teacher\'s scores takes them; else each document on a line, best first.',
  positionals: { lists: { required: true, about: "JSON lines" } },
  options: {
    model: { ...modelOption, required: true, about: "Reranker, ColBERT or embedding model" },
    output: { type: "text", hint: "FILE", about: "Lists with scores" },
    ...overwriteOption,
    int8: { type: "flag", about: "Linear layers in eight bits: faster, on the CPU; says how scores change" },
    ...scorerOptions,
  },
  examples: [
    ["rerank --model runs/reranker/model lists.jsonl", "best first"],
    ["rerank --model runs/reranker/model lists.jsonl --output scored.jsonl", "for embeddings-kl and colbert"],
  ],
  stoppable: true,
  async run({ args, json, output, progress, signal }) {
    const { openScorer } = await import("../../retrieval/scorers.ts");
    const { ranked, scoreChange, scoreLists } = await import("../../retrieval/rerank.ts");
    const { readLists, writeLists } = await import("../../tasks/lists.ts");
    const { countCuts } = await import("../cuts.ts");
    const { keepFirst } = await import("../../io/streams.ts");
    const lists = await readLists(args.lists);
    const cuts = countCuts();
    await using scorer = await openScorer(args.model, {
      ...batchLoadOptions(args),
      label: args.label,
      onCut: cuts.add,
    });
    if (args.int8) await noteEightBits(output);
    const line = progress("scoring");
    const onProgress = (done: number): void => line.update({ done, total: lists.length, unit: "lists" });
    const scored = scoreLists(scorer, lists, { signal, onProgress });
    const { items, first } = keepFirst(scored, 64, ({ documents }) => documents.length);
    if (args.output !== undefined) await writeLists(args.output, items, { model: args.model, texts: args.lists });
    else {
      for await (const list of items) {
        const best = ranked(list);
        const lines = best.map(({ text, score }) => `${score.toFixed(4).padStart(10)}  ${text}\n`);
        if (json) await output.json({ query: list.query, ranked: best });
        else await output.write(`${list.query}\n${lines.join("")}`);
      }
    }
    line.end();
    cuts.say(output);
    let int8: Awaited<ReturnType<typeof scoreChange>> | undefined;
    if (args.int8 && first.length > 0) {
      await using exact = await openScorer(args.model, { ...scorerLoadOptions(args), weights: "float32" });
      int8 = await scoreChange(exact, first);
      output.note(
        `int8: scores differ from float32 by ${int8.mean.toFixed(4)} (most ${int8.most.toFixed(4)} of ${int8.pairs} pairs), rank correlation ${int8.rankCorrelation.toFixed(4)}`,
      );
    }
    if (args.output === undefined) return;
    const { kind } = scorer;
    const { label } = args;
    if (json) {
      const about = { output: args.output, lists: lists.length, scorer: kind, label, transform: "none", int8 };
      await output.json({ ...about, ...cuts.json() });
    } else await output.write(`${args.output}  ${lists.length} lists\n`);
  },
});
export default rerank;
