/**
 * How a soft-prompt model is given a benchmark: rows of prompt between source and target, where texts are cut, how
 * answers are decoded. The published numbers (microsoft/BioGPT 648f7d6, examples/*) are what published weights, which
 * come without a task.json, were tuned with.
 */
import { ConfigError } from "../errors.ts";
import type { OwnTuning } from "../tasks/schema.ts";

/** Cutting is done on tokens: a longer source keeps `maxSourceTokens`, of which the last becomes `marker`. */
export interface Truncation {
  /** Positions of the model, its leading `</s>` included. */
  readonly maxPositions: number;
  readonly maxSourceTokens: number;
  readonly marker: string;
}

export interface Decoding {
  readonly beams: number;
  readonly lengthPenalty: number;
  readonly minLength: number;
  /** Tokens in all, source and prompt included. */
  readonly maxLength: number;
  readonly noRepeatNgramSize: number;
}

export interface Format {
  /** Number of soft-prompt tokens between source and target. */
  readonly promptLength: number;
  readonly truncation: Truncation;
  readonly decoding: Decoding;
}

/** Greedy, as every published figure. */
function formatWith(promptLength: number, maxSourceTokens: number, maxPositions = 1024): Format {
  return {
    promptLength,
    truncation: { maxPositions, maxSourceTokens, marker: "..." },
    decoding: { beams: 1, lengthPenalty: 1, minLength: 1, maxLength: maxPositions, noRepeatNgramSize: 0 },
  };
}

/** Extraction, whose answers are long. */
const usual = formatWith(9, 640);

const others: Readonly<Record<string, Format>> = {
  hoc: formatWith(1, 900),
  pubmedqa: formatWith(9, 900),
  "pubmedqa-large": formatWith(9, 1900, 2048),
};

/** The format of a published task. */
export function formatOf(task: string): Format {
  return Object.hasOwn(others, task) ? others[task]! : usual;
}

/** That of a user's task: as published for its kind, in the positions that the file gives. @throws ConfigError. */
export function ownFormat({ kind, name, promptLength = 9, maxPositions = 1024, maxSourceTokens }: OwnTuning): Format {
  const published = kind === "classification" ? 900 : 640;
  const source = maxSourceTokens ?? Math.round((published / 1024) * maxPositions);
  if (source + promptLength >= maxPositions) {
    throw new ConfigError(
      `${name}: expected maxSourceTokens and promptLength below ${maxPositions} in sum, got ${source} and ${promptLength}`,
    );
  }
  return formatWith(promptLength, source, maxPositions);
}

/** Room for the target: what source and prompt leave of the positions. */
export function maxTargetTokens({ truncation, promptLength }: Pick<Format, "truncation" | "promptLength">): number {
  return truncation.maxPositions - truncation.maxSourceTokens - promptLength;
}

/** The cutting for a model of `positions`: as it is where they suffice, else in the same proportion. */
export function fitTruncation({ maxPositions, maxSourceTokens, marker }: Truncation, positions: number): Truncation {
  if (positions >= maxPositions) return { maxPositions, maxSourceTokens, marker };
  const source = Math.floor((maxSourceTokens * positions) / maxPositions);
  return { maxPositions: positions, maxSourceTokens: source, marker };
}
