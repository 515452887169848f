/** What a network in eight bits is calibrated with: a few sentences of abstracts, our own. */
import type { ModelConfig } from "../models/index.ts";
import { makeBatch } from "../runtime/batch.ts";
import type { Tensors } from "../runtime/ort.ts";
import type { PairTokenizer } from "../tokenizers/pairs.ts";

const sentences = [
  "Low-dose aspirin lowers the risk of a second stroke.",
  "We measured blood pressure in 120 patients (64 women) before and after treatment; it fell by 12 mmHg (95% CI 9-15).",
  "BACKGROUND: Little is known about the cause of this disease. METHODS: Mice were given 5 mg/kg of the drug daily.",
  "RESULTS: Survival was longer in the treated group (hazard ratio 0.71, p < 0.05), as were remissions. CONCLUSION: " +
    "Blocking the receptor slows the growth of these tumours, and trials of combinations with platinum are warranted.",
];

/** Inputs `ids`, `mask`, `types` and `pooled` [B, T] of single texts, or of pairs. */
export function sampleInputs(tokenizer: PairTokenizer, config: ModelConfig, kind: "texts" | "pairs"): Tensors {
  const { vocab_size: vocabSize, pad_token_id: padId, max_position_embeddings: maxTokens } = config;
  const pairs = sentences.map((one, i) => [one, sentences[(i + 1) % sentences.length]!] as const);
  const inputs = kind === "texts" ? sentences : pairs;
  const encoded = tokenizer.encodeBatch(inputs, { maxLength: Math.min(128, maxTokens), padding: "none" });
  const { tensors } = makeBatch({ ids: encoded.ids, types: encoded.typeIds }, { vocabSize, padId, maxTokens });
  return { ...tensors, pooled: tensors.mask };
}
