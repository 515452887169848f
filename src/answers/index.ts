/** Answers with their sources: sentences of an index as they stand or as a model writes them, reviews, hypotheses. */
export { answer, ask } from "./ask.ts";
export { type Checked, type Checker, checkSentence } from "./check.ts";
export { type Continuer, openContinuer } from "./continue.ts";
export { answerText, hypothesesText, summaryText } from "./formats.ts";
export {
  type Hypotheses,
  type HypothesesOptions,
  hypotheses,
  type Hypothesis,
  type KnownRelation,
  readRelations,
} from "./hypotheses.ts";
export { type EvidenceRow, review, type Review, type ReviewOptions } from "./review.ts";
export { reviewFormat, writeEvidence } from "./review-formats.ts";
export { studyOf, type Study } from "./study.ts";
export { summarise, type Summary } from "./summarise.ts";
export type { AskOptions } from "./options.ts";
export type { Answer, AnswerEvent, AnswerSentence, Citation, Verdict, WithheldSentence } from "./types.ts";
export { type Judge, judgeOf } from "./verdict.ts";
export { openChecker, openWriter, type Writer } from "./write.ts";
