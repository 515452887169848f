/**
 * Which examples a model may have seen in training, and its figures with and without them. An example counts as
 * contaminated where a training text holds 13 of its words in a row (as GPT-3's authors asked, Brown et al. 2020, app. C),
 * or training texts together hold 80 % of its runs of 8 words (as Meditron's, Chen et al. 2023). What is found says that
 * the text was there, not that the model learned from it; rewritten texts are not found.
 */
import { createHash } from "node:crypto";
import { indexNgrams, leastWords } from "../corpus/ngram-index.ts";
import { type TextRow, titleAndText } from "../corpus/text.ts";
import { ConfigError } from "../errors.ts";
import { digest } from "../io/fingerprint.ts";
import type { Items } from "../io/streams.ts";
import { partsDifference } from "../metrics/parts.ts";
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

/** The rule, for protocols and files. */
export const overlapRule = { inARow: mostInARow, share: mostShare, run: leastWords } as const;

/** From what was found of an example's words: how many, most in a row, and runs of eight of which a text holds each. */
export function overlapOf(words: number, longest: number, runs: number): Overlap {
  const all = Math.max(0, words - leastWords + 1);
  const share = all === 0 ? 0 : runs / all;
  const isSeen = longest >= mostInARow || share >= mostShare;
  return { words, share, longest, verdict: all === 0 ? "short" : isSeen ? "contaminated" : "clean" };
}

/** What was looked through, and what it holds. */
export interface Seen {
  readonly texts: {
    readonly documents: number;
    /** UTF-16 code units. */
    readonly characters: number;
    /** Of all texts, in their order. */
    readonly digest: string;
  };
  /** Of each set an overlap an example. */
  readonly overlaps: readonly (readonly Overlap[])[];
}

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
 * @throws ConfigError where there is no text at all.
 */
export async function findOverlaps(
  sets: readonly OverlapSet[],
  documents: Items<TextRow>,
  { signal, onProgress }: OverlapOptions = {},
): Promise<Seen> {
  required("findOverlaps: sets", sets, "list");
  required("findOverlaps: documents", documents, "stream");
  const texts = sets.flatMap(({ benchmark, examples }) => examples.map((one) => contaminationText(benchmark, one)));
  const index = indexNgrams(texts);
  // Of each run of eight words whether it was seen.
  const seen = Array.from(index.words, (words) => new Uint8Array(Math.max(0, words - leastWords + 1)));
  const longest = new Uint32Array(texts.length);
  const progress = { documents: 0, characters: 0 };
  const hash = createHash("sha256");
  for await (const document of documents) {
    signal?.throwIfAborted();
    const whole = titleAndText(document);
    hash.update(whole).update("\0");
    for (const { text, start, words } of index.find(whole)) {
      seen[text]!.fill(1, start, start + words - leastWords + 1);
      longest[text] = Math.max(longest[text]!, words);
    }
    progress.documents += 1;
    progress.characters += whole.length;
    if (progress.documents % documentsTogether === 0) onProgress?.({ ...progress });
  }
  if (progress.documents === 0) throw new ConfigError("findOverlaps: expected texts of training, got none");
  onProgress?.({ ...progress });
  const runs = seen.map((one) => one.reduce((sum, is) => sum + is, 0));
  const all = runs.map((count, i) => overlapOf(index.words[i]!, longest[i]!, count));
  let at = 0;
  const overlaps = sets.map(({ examples }) => all.slice(at, (at += examples.length)));
  return { texts: { ...progress, digest: digest(hash) }, overlaps };
}

/**
 * The primary figure of the clean and of the contaminated examples alone, how many there are, and the difference of the
 * two, as details for a report. The difference is no effect of having been seen: what is copied may be easier, too.
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
  return [
    ...figures,
    ...differenceFigure(benchmark, { examples, answers }, overlaps, options),
    ...(short === 0 ? [] : [detail("short_examples", describe.short, short, "count")]),
  ];
}

/** The name of the figure in reports. */
export const differenceName = "contaminated_less_clean";

/** None where a part is empty, or the benchmark has no scores of single examples. */
function differenceFigure<E extends Example, Answer>(
  benchmark: Benchmark<E, Answer>,
  { examples, answers }: { readonly examples: readonly E[]; readonly answers: readonly Answer[] },
  overlaps: readonly Overlap[],
  { bootstrap = { seed: 1 } }: EvaluateOptions,
): Figure[] {
  const scores = benchmark.scores?.(examples, answers);
  const told = overlaps.flatMap(({ verdict }, i) => (verdict === "short" ? [] : [i]));
  const isSeen = told.map((i) => overlaps[i]!.verdict === "contaminated");
  if (scores === undefined || !isSeen.includes(true) || !isSeen.includes(false)) return [];
  const documents = told.map((i) => examples[i]!.document ?? `${i} ${examples[i]!.id}`);
  const { difference, interval } = partsDifference(
    told.map((i) => scores[i]!),
    isSeen,
    documents,
    bootstrap,
  );
  const label = "figure of the contaminated examples less that of the clean ones";
  return [{ ...detail(differenceName, label, difference), ...(interval && { interval }) }];
}

const describe = {
  clean: "examples that the training texts do not hold",
  contaminated: `examples of which training texts hold ${mostInARow} words in a row or ${100 * mostShare} % of all runs of ${leastWords}`,
  short: `examples of fewer than ${leastWords} words, of which it cannot be told`,
} as const;
