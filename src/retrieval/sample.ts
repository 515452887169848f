/** What a network in eight bits is calibrated with: single texts, or pairs of them. */
import type { ModelConfig } from "../models/index.ts";
import { makeBatch } from "../runtime/batch.ts";
import { calibrationTexts, calibrationTokens } from "../runtime/calibration.ts";
import type { Tensors } from "../runtime/session.ts";
import type { PairTokenizer } from "../tokenizers/pairs.ts";

/** Inputs `ids`, `mask`, `types` and `pooled` [B, T] of single texts, or of pairs. */
export function sampleInputs(tokenizer: PairTokenizer, config: ModelConfig, kind: "texts" | "pairs"): Tensors {
  const pairs = calibrationTexts.map((one, i) => [one, calibrationTexts[(i + 1) % calibrationTexts.length]!] as const);
  const inputs = kind === "texts" ? calibrationTexts : pairs;
  const maxLength = Math.min(calibrationTokens, config.max_position_embeddings);
  const encoded = tokenizer.encodeBatch(inputs, { maxLength, padding: "none" });
  const { tensors } = makeBatch({ ids: encoded.ids, types: encoded.typeIds }, config);
  return { ...tensors, pooled: tensors.mask };
}
