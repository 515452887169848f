/** `galen evaluate retrieval`: rankings over a test set in BEIR's layout. */
import { type Command, command, folderOptions, modelOption } from "../command.ts";
import { scorerLoadOptions, scorerOptions } from "../scorer-options.ts";

const evaluateRetrieval: Command = command({
  about: "Rank the documents of a test set in BEIR's layout",
  details:
    "DATA has corpus.jsonl, queries.jsonl and qrels/SPLIT.tsv. Embedding models and ColBERT rank all documents; a reranker orders what BM25 finds. A document with the id of the query itself is left out of its ranking, as BEIR does. --model bm25 is the baseline.",
  positionals: { data: { required: true, about: "Folder in BEIR's layout" } },
  options: {
    model: { ...modelOption, required: true, about: "Embedding model, ColBERT or reranker; bm25" },
    split: { type: "text", hint: "NAME", default: "test", about: "Judgements: qrels/NAME.tsv" },
    candidates: { type: "integer", hint: "N", least: 1, default: 100, about: "What BM25 gives a reranker" },
    ...folderOptions,
    ...scorerOptions,
  },
  examples: [
    ["evaluate retrieval --model runs/colbert/model data/nfcorpus --split dev", "nDCG@10 and others"],
    ["evaluate retrieval --model bm25 data/nfcorpus --split dev", "the baseline"],
  ],
  stoppable: true,
  async run({ args, ...terminal }) {
    const { readRetrievalSet } = await import("../../tasks/retrieval-sets.ts");
    const { openScorer } = await import("../../retrieval/scorers.ts");
    const { evaluateRetrieval: evaluate } = await import("../../eval/retrieval.ts");
    const { countCuts } = await import("../cuts.ts");
    const { runWindows, writeReport } = await import("../evaluation.ts");
    const cuts = countCuts();
    const set = await readRetrievalSet(args.data, args.split);
    await using scorer = await openScorer(args.model, { ...scorerLoadOptions(args), onCut: cuts.add });
    const { model, split, candidates } = args;
    const report = await runWindows(args, terminal, (options) => evaluate(scorer, set, { ...options, candidates }));
    await writeReport(args, terminal, { model, split, kind: scorer.kind, label: args.label }, report, cuts);
  },
});
export default evaluateRetrieval;
