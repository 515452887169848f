/** Answers with their sources. */
export type { Answer, AnswerEvent, AnswerSentence, AskOptions, Citation, Verdict, WithheldSentence } from "./types.ts";
