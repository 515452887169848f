/** Learning rates as pure functions of the update's number, counted from 1. */

export interface ScheduleConfig {
  /** "inverse_sqrt" is fairseq's: linear warm-up, then peak · √(warmup / step). */
  readonly kind: "constant" | "linear" | "cosine" | "inverse_sqrt";
  readonly peak: number;
  /** Updates of linear warm-up. */
  readonly warmup: number;
  /** Where the warm-up starts (fairseq's warmup-init-lr). */
  readonly initial: number;
  /** What linear and cosine end at, as a share of the peak. */
  readonly floor: number;
}

/** The learning rate of update `step` of `steps`. */
export function learningRate(
  { kind, peak, warmup, initial, floor }: ScheduleConfig,
  step: number,
  steps: number,
): number {
  if (step <= warmup) return initial + ((peak - initial) * step) / warmup;
  const progress = Math.min(1, (step - warmup) / Math.max(1, steps - warmup));
  switch (kind) {
    case "constant":
      return peak;
    case "linear":
      return peak * (1 - (1 - floor) * progress);
    case "cosine":
      return peak * (floor + (1 - floor) * 0.5 * (1 + Math.cos(Math.PI * progress)));
    case "inverse_sqrt":
      return peak * Math.sqrt(Math.max(1, warmup) / step);
  }
}
