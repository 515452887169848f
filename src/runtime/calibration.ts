/** What activations are like: rows of ids from which a format of weights learns which channels are large. */
import type { ModelConfig } from "../models/index.ts";
import { random } from "../tensor/random.ts";

/** A few sentences of abstracts, our own. */
export const calibrationTexts: readonly string[] = [
  "Low-dose aspirin lowers the risk of a second stroke.",
  "We measured blood pressure in 120 patients (64 women) before and after treatment; it fell by 12 mmHg (95% CI 9-15).",
  "BACKGROUND: Little is known about the cause of this disease. METHODS: Mice were given 5 mg/kg of the drug daily.",
  "RESULTS: Survival was longer in the treated group (hazard ratio 0.71, p < 0.05), as were remissions. CONCLUSION: " +
    "Blocking the receptor slows the growth of these tumours, and trials of combinations with platinum are warranted.",
];

/** Tokens that a row is cut to. */
export const calibrationTokens = 128;

/** The sentences as ids; without a tokenizer tokens drawn from the whole vocabulary, which serve nearly as well. */
export function calibrationRows(
  config: ModelConfig,
  tokenizer: { encodeIds(text: string): readonly number[] } | Error,
): number[][] {
  const { vocab_size, max_position_embeddings: positions } = config;
  const most = Math.min(calibrationTokens, positions);
  if (!(tokenizer instanceof Error)) return calibrationTexts.map((text) => tokenizer.encodeIds(text).slice(0, most));
  const numbers = random(1);
  return calibrationTexts.map(() => Array.from({ length: most }, () => numbers.integer(vocab_size)));
}
