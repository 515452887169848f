/** Small evaluations of each kind, for tests that kill and resume them. */
import {
  askTuned,
  evaluate,
  evaluateClassification,
  evaluateNer,
  evaluatePerplexity,
  evaluateRetrieval,
  evaluateSimilarity,
  type WindowOptions,
} from "../../src/eval/index.ts";
import { loadClassifier, loadTagger } from "../../src/labellers.ts";
import { openScorer } from "../../src/retrieval/scorers.ts";
import { openTuned } from "../../src/soft-prompts/predict.ts";
import { readRetrievalSet } from "../../src/tasks/retrieval-sets.ts";

/** The report as JSON. */
export async function evaluateKind(
  kind: string,
  model: string,
  data: string,
  options: WindowOptions,
  weights: "float32" | "int8" = "float32",
): Promise<string> {
  const load = { threads: 1, weights };
  if (kind === "classification") {
    await using classifier = await loadClassifier(model, load);
    return JSON.stringify(await evaluateClassification(classifier, examples, options));
  }
  if (kind === "ner") {
    await using tagger = await loadTagger(model, load);
    return JSON.stringify(await evaluateNer(tagger, sentences, options));
  }
  if (kind === "task") {
    await using tuned = await openTuned(model, load);
    const { report } = await evaluate(tuned.task, askTuned(tuned), { ...options, data, split: "train" });
    return JSON.stringify(report);
  }
  if (kind === "perplexity") {
    const stream = { tokens: 400, read: (start: number, length: number) => numbers.slice(start, start + length) };
    return JSON.stringify(await evaluatePerplexity(model, { stream }, { ...load, ...options, context: 8, stride: 2 }));
  }
  await using scorer = await openScorer(model, load);
  if (kind === "retrieval")
    return JSON.stringify(await evaluateRetrieval(scorer, await readRetrievalSet(data, "test"), options));
  const negatives = { kind: "random", perPositive: 2, seed: 1 } as const;
  return JSON.stringify(await evaluateSimilarity(scorer, pairs, negatives, { ...options, resamples: 20 }));
}

const words = ["kidney", "heart", "stroke", "insulin", "gene"];
const numbers = Array.from({ length: 400 }, (_, i) => (i * i) % 40);
const pairs = Array.from({ length: 60 }, (_, i): [string, string] => [
  `what is ${words[i % 5]} ${i}?`,
  `the ${words[(i * 3) % 5]} of ${words[i % 4]} ${i}`,
]);
export const sentences = pairs.map(([, text]) => {
  const tokens = text.split(" ");
  return { tokens, tags: tokens.map((token) => (token === "kidney" || token === "heart" ? "B-Organ" : "O")) };
});
const examples = pairs.map(([text], i) => ({ text, labels: [`LABEL_${i % 3}`] }));
