/** What people say of models' answers: the files that it lies in, what they agree on, and lines for trainings. */
export {
  type PreferenceOptions,
  type LabelledAnswer,
  labelledAnswers,
  type PreferencePair,
  preferencePairs,
  writePreferences,
} from "./export.ts";
export { type ItemAnswer, type Drawn, type Item, type ItemStore, itemsPath, openItems, readItems } from "./items.ts";
export { type Judgement, type JudgementLog, openJudgements, type Ranking } from "./judgements.ts";
export {
  type Alpha,
  type Disagreement,
  type FeedbackReport,
  type FirstShown,
  type OriginReport,
  type RaterReport,
  reportFeedback,
} from "./report.ts";
export { feedbackText } from "./report-text.ts";
