/**
 * Open articles and their abstracts, as JSON lines `{id, license, title, article, abstract}`: summaries of long texts as
 * Cohan et al. (2018) set the task, on articles that may be passed on. A model is given an article's first words, as
 * many for all models, since few take a whole one. The articles also stand in open corpora: see what a model was trained on.
 */
import * as z from "zod";
import { readJsonLines } from "../io/json.ts";
import type { Benchmark, Example, Split } from "./benchmark.ts";
import { firstWords, summaryBenchmark } from "./summaries.ts";

const line = z.object({ id: z.string(), title: z.string(), article: z.string(), abstract: z.string() });

/** About 1,500 tokens: with the answer they fit 2,048. */
const mostWords = 1000;
const opening = "Article:";

export const articleSummaries: Benchmark<Example<string>, string> = summaryBenchmark<Example<string>>({
  name: "article-summaries",
  version: "1",
  description: `The abstract of an open article, given its title and first ${mostWords} words`,
  data: {
    folder: "summaries",
    files: {
      train: [{ path: "train.jsonl", sha256: "b005f5e82a0828b0b67afc10fb624979e20f58b38e265c9c4cff851bbefc6bda" }],
      valid: [{ path: "dev.jsonl", sha256: "8e6c99d8d800cf3139e17886d605a1c05d9d3d0b939745daa181734fbd4b4a7b" }],
      test: [{ path: "test.jsonl", sha256: "48a3a51995b563e49dca84389fce93053c4f8d7765d06a20a20eb3a8318e565b" }],
    },
    from: "Collected from the open access subset of https://pmc.ncbi.nlm.nih.gov: write articles of your own in this form.",
    licence: "CC BY of each article",
  },
  opening,
  cue: "Abstract:",
  async read(folder, split: Split) {
    const lines = await readJsonLines(`${folder}/${split === "valid" ? "dev" : split}.jsonl`, line);
    return lines.map(({ id, title, article, abstract }) => ({
      id,
      text: `${title.trim()}\n\n${article.trim()}`,
      gold: abstract.trim(),
    }));
  },
  exampleOf: (id, text) => ({ id, text: text.trim(), gold: "" }),
  prompt: ({ text }) => `${opening} ${firstWords(text, mostWords)}\n\nWrite the abstract of this article.`,
});
