/**
 * ROUGE (Lin 2004) of a text against reference texts: ROUGE-1, ROUGE-2, ROUGE-SU4 (skip bigrams of at most four words
 * between, with unigrams) and ROUGE-L, as precision, recall and F1 of the reference that fits best by F1. Words are
 * lower-cased runs of letters and digits or, stemmed, those of Google's rouge-score with its stemmer: runs of a to z and
 * digits, Porter's stem of those longer than three. Left out: the jackknife of the Perl script, and ROUGE-Lsum.
 */
import { porterStem } from "./porter.ts";

export interface Rouge {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
}

export const rougeKinds = ["rouge-1", "rouge-2", "rouge-su4", "rouge-l"] as const;
export type RougeKind = (typeof rougeKinds)[number];

export interface RougeOptions {
  /** As rouge-score with `use_stemmer`. Default false. */
  readonly stemmed?: boolean;
}

function wordsOf(text: string, stemmed: boolean): string[] {
  if (!stemmed) return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  const words = text.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  return words.map((word) => (word.length > 3 ? porterStem(word) : word));
}

/** The best figures over the references; zeros where there is none, or a text has no words. */
export function rouge(
  kind: RougeKind,
  text: string,
  references: readonly string[],
  { stemmed = false }: RougeOptions = {},
): Rouge {
  const words = wordsOf(text, stemmed);
  let best: Rouge = { precision: 0, recall: 0, f1: 0 };
  for (const reference of references) {
    const wanted = wordsOf(reference, stemmed);
    const found = kind === "rouge-l" ? byLongest(words, wanted) : byUnits(kind, words, wanted);
    if (found.f1 > best.f1) best = found;
  }
  return best;
}

function figures(common: number, given: number, wanted: number): Rouge {
  const [precision, recall] = [common / Math.max(1, given), common / Math.max(1, wanted)];
  return { precision, recall, f1: common === 0 ? 0 : (2 * precision * recall) / (precision + recall) };
}

type Counted = Exclude<RougeKind, "rouge-l">;

function unitsOf(kind: Counted, words: readonly string[]): readonly string[] {
  if (kind === "rouge-1") return words;
  const reach = kind === "rouge-2" ? 1 : 5;
  const pairs = words.flatMap((word, i) => words.slice(i + 1, i + 1 + reach).map((next) => `${word} ${next}`));
  return kind === "rouge-2" ? pairs : [...words, ...pairs];
}

function byUnits(kind: Counted, words: readonly string[], reference: readonly string[]): Rouge {
  const [ours, theirs] = [unitsOf(kind, words), unitsOf(kind, reference)];
  const left = new Map<string, number>();
  for (const unit of theirs) left.set(unit, (left.get(unit) ?? 0) + 1);
  let common = 0;
  for (const unit of ours) {
    const count = left.get(unit) ?? 0;
    if (count === 0) continue;
    common += 1;
    left.set(unit, count - 1);
  }
  return figures(common, ours.length, theirs.length);
}

/** Longest common subsequence of words. */
function byLongest(words: readonly string[], reference: readonly string[]): Rouge {
  let row = new Uint32Array(reference.length + 1);
  for (const word of words) {
    const next = new Uint32Array(reference.length + 1);
    for (let j = 0; j < reference.length; j++) {
      next[j + 1] = word === reference[j] ? row[j]! + 1 : Math.max(row[j + 1]!, next[j]!);
    }
    row = next;
  }
  return figures(row.at(-1)!, words.length, reference.length);
}
