/** What a question to an index gives: sentences with their sources, and what was held back. */
import type { Hit } from "../search/types.ts";

/** A place in a document of the index: `quote` is `text.slice(start, end)` of it. */
export interface Citation {
  readonly id: string;
  readonly start: number;
  readonly end: number;
  readonly quote: string;
  readonly title: string;
  readonly year: number | null;
  readonly retracted: boolean;
}

/** A sentence of an answer; without a citation there is none. */
export interface AnswerSentence {
  readonly text: string;
  /** At least one. Several where documents say the same. */
  readonly citations: readonly Citation[];
  /** How sure the check is that the citation says it, 0 to 1; of a sentence that is quoted, how well it answers. */
  readonly support: number;
  /** Share of the question's words that it has, each weighted by its rarity in the index; absent where nothing was asked. */
  readonly covers?: number;
}

/** A sentence that a model wrote and the check did not let pass. */
export interface WithheldSentence extends AnswerSentence {
  /** In plain words: "the passage does not say 40 %". */
  readonly reason: string;
}

/** Of a question that asks whether: what the evidence says for each side. */
export interface Verdict {
  /** "unclear": no sentence speaks of all that is asked, or those that do favour no side enough. */
  readonly answer: "yes" | "no" | "maybe" | "unclear";
  /** Share of the weight of the evidence that speaks of what is asked, 0 to 1; they add up to 1. Null where none does. */
  readonly shares: { readonly yes: number; readonly no: number; readonly maybe: number } | null;
  readonly yes: readonly AnswerSentence[];
  readonly no: readonly AnswerSentence[];
}

export interface Answer {
  readonly question: string;
  /** Whether anything in the index answers the question. */
  readonly found: boolean;
  /** Documents in the index. */
  readonly documents: number;
  /** "quoted": sentences as they stand in their sources; "written": a decoder's, checked one by one. */
  readonly kind: "quoted" | "written";
  readonly sentences: readonly AnswerSentence[];
  readonly withheld: readonly WithheldSentence[];
  readonly verdict?: Verdict | undefined;
  /** The nearest documents, whether they answer or not. */
  readonly nearest: readonly Hit[];
  /** What the reader should know: retracted documents were left out, evidence disagrees. */
  readonly notes: readonly string[];
}

/** What happens while an answer is made, in this order; `done` is last. */
export type AnswerEvent =
  | { readonly type: "nearest"; readonly hits: readonly Hit[] }
  | { readonly type: "sentence"; readonly sentence: AnswerSentence }
  | { readonly type: "withheld"; readonly sentence: WithheldSentence }
  | { readonly type: "done"; readonly answer: Answer };
