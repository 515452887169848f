/** Answers with their sources. */
export type { AskOptions } from "./options.ts";
export type { Answer, AnswerEvent, AnswerSentence, Citation, Verdict, WithheldSentence } from "./types.ts";
