/** How long a training will take, before its first update: work by the sizes, at the pace of an ordinary processor. */
import type { Config } from "../train/index.ts";

/** Floating-point operations a second of one core, as trainings of 3 to 350 million weights reach them. */
const pace = 5e10;

/** Tokens of an update; of texts as many as they may have. */
export function tokensOfUpdate({ objective, batch, tokensPerBatch, accumulate }: Config): number {
  const rows = (batch ?? 1) * accumulate;
  if ("tokens" in objective) return rows * objective.tokens;
  if (tokensPerBatch !== null) return tokensPerBatch * accumulate;
  const {
    documents = 1,
    queryTokens = 0,
    documentTokens = 256,
  } = objective as {
    documents?: number;
    queryTokens?: number;
    documentTokens?: number;
  };
  // A pair's length has the query's in it.
  return rows * (documents * documentTokens + queryTokens);
}

/** Seconds; forward and backward are 6 operations for each weight and token. */
export function expectedSeconds(weights: number, tokens: number, cores: number): number {
  return (6 * weights * tokens) / (pace * cores);
}

/** "about 3 h", "about 7 months": a guess should not look exact. */
export function roughly(seconds: number): string {
  const units: readonly (readonly [string, number])[] = [
    ["year", 365 * 86_400],
    ["month", 30 * 86_400],
    ["day", 86_400],
    ["hour", 3600],
    ["minute", 60],
  ];
  for (const [name, size] of units) {
    const value = Math.round(seconds / size);
    if (seconds >= 1.5 * size || (value === 1 && seconds >= 0.95 * size)) {
      return `about ${value.toLocaleString("en-US")} ${name}${value === 1 ? "" : "s"}`;
    }
  }
  return "less than two minutes";
}
