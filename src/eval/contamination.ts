/**
 * Which examples a model may have seen in training, and its figures with and without them. An example counts as
 * contaminated where a training text holds 13 of its words in a row (as GPT-3's authors asked, Brown et al. 2020, app. C),
 * or training texts together hold 80 % of its runs of 8 words (as Meditron's, Chen et al. 2023). What is found says that
 * the text was there, not that the model learned from it; rewritten texts are not found.
 */
import { indexNgrams, leastWords } from "../corpus/ngram-index.ts";
import { type TextRow, titleAndText } from "../corpus/text.ts";
import { ConfigError } from "../errors.ts";
import type { Items } from "../io/streams.ts";
import { checkAligned, detail, type EvaluateOptions, type Figure, primaryOf } from "../metrics/report.ts";
import { required } from "../schema.ts";
import { type Benchmark, contaminationText, type Example } from "../tasks/benchmark.ts";

/** What training texts hold of an example. */
export interface Overlap {
  /** Its words. */
  readonly words: number;
  /** Of its runs of eight words, the share that any training text holds; 0 where it has no eight words. */
  readonly share: number;
  /** Most words in a row that one training text holds; 0 below eight. */
  readonly longest: number;
  /** "short": of fewer than eight words it cannot be told. */
  readonly verdict: "clean" | "contaminated" | "short";
}

const mostInARow = 13;
const mostShare = 0.8;

export interface OverlapSet {
  readonly benchmark: Pick<Benchmark, "source" | "target" | "contaminatedBy">;
  readonly examples: readonly Example[];
}

export interface OverlapOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called now and then with what has been read. */
  readonly onProgress?: ((progress: { readonly documents: number; readonly characters: number }) => void) | undefined;
}

/** Documents between two calls of `onProgress`. */
const documentsTogether = 256;

/**
 * Looks for the examples of all sets in training texts, which are read once and held one by one.
 * @param documents such as `readDocuments(paths)` gives.
 * @returns of each set an overlap an example.
 * @throws ConfigError where there is no text at all.
 */
export async function findOverlaps(
  sets: readonly OverlapSet[],
  documents: Items<TextRow>,
  { signal, onProgress }: OverlapOptions = {},
): Promise<Overlap[][]> {
  required("findOverlaps: sets", sets, "list");
  required("findOverlaps: documents", documents, "stream");
  const texts = sets.flatMap(({ benchmark, examples }) => examples.map((one) => contaminationText(benchmark, one)));
  const index = indexNgrams(texts);
  // Of each run of eight words whether it was seen.
  const seen = Array.from(index.words, (words) => new Uint8Array(Math.max(0, words - leastWords + 1)));
  const longest = new Uint32Array(texts.length);
  const progress = { documents: 0, characters: 0 };
  for await (const document of documents) {
    signal?.throwIfAborted();
    for (const { text, start, words } of index.find(titleAndText(document))) {
      seen[text]!.fill(1, start, start + words - leastWords + 1);
      longest[text] = Math.max(longest[text]!, words);
    }
    progress.documents += 1;
    progress.characters += document.text.length;
    if (progress.documents % documentsTogether === 0) onProgress?.({ ...progress });
  }
  if (progress.documents === 0) throw new ConfigError("findOverlaps: expected texts of training, got none");
  onProgress?.({ ...progress });
  const all = seen.map((runs, i): Overlap => {
    const share = runs.length === 0 ? 0 : runs.reduce((sum, one) => sum + one, 0) / runs.length;
    const isSeen = longest[i]! >= mostInARow || share >= mostShare;
    const verdict = runs.length === 0 ? "short" : isSeen ? "contaminated" : "clean";
    return { words: index.words[i]!, share, longest: longest[i]!, verdict };
  });
  let at = 0;
  return sets.map(({ examples }) => all.slice(at, (at += examples.length)));
}

/**
 * The primary figure of the clean and of the contaminated examples alone, and how many there are, as details for a
 * report.
 * @throws DataError unless there is an answer and an overlap for every example.
 */
export function contaminationFigures<E extends Example, Answer>(
  benchmark: Benchmark<E, Answer>,
  { examples, answers }: { readonly examples: readonly E[]; readonly answers: readonly Answer[] },
  overlaps: readonly Overlap[],
  options: EvaluateOptions = {},
): Figure[] {
  checkAligned(examples, answers, "contamination");
  checkAligned(examples, overlaps, "contamination: overlaps");
  const figures = (["clean", "contaminated"] as const).flatMap((verdict) => {
    const isWanted = (_: unknown, i: number): boolean => overlaps[i]!.verdict === verdict;
    const some = examples.filter(isWanted);
    const count = detail(`${verdict}_examples`, describe[verdict], some.length, "count");
    if (some.length === 0) return [count];
    const measured = benchmark.evaluate(some, answers.filter(isWanted), options);
    const { by: _, ...found } = primaryOf(measured, `${verdict} examples`);
    const label = `${found.label}: ${verdict} examples alone`;
    return [count, { ...found, name: `${verdict}_${found.name}`, label, kind: "detail" as const }];
  });
  const short = overlaps.filter(({ verdict }) => verdict === "short").length;
  return short === 0 ? figures : [...figures, detail("short_examples", describe.short, short, "count")];
}

const describe = {
  clean: "examples that the training texts do not hold",
  contaminated: `examples of which training texts hold ${mostInARow} words in a row or ${100 * mostShare} % of all runs of ${leastWords}`,
  short: `examples of fewer than ${leastWords} words, of which it cannot be told`,
} as const;
