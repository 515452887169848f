/** The options of decoding that `predict`, `evaluate task` and `extract` share; `generate` has some of them too. */
import type { PredictOptions } from "../soft-prompts/predict.ts";
import { UsageError } from "../errors.ts";
import type { Option } from "./command.ts";

export const repeatGuardOptions = {
  "repeat-guard": { type: "flag", about: "End what goes in circles (default: with beam search; of extract: always)" },
  "no-repeat-guard": { type: "flag", about: "Never end what goes in circles" },
} as const satisfies Readonly<Record<string, Option>>;

export const lookupOptions = {
  "no-lookup": { type: "flag", about: "One token at a time, where text is quoted too: slower, the same answers" },
} as const satisfies Readonly<Record<string, Option>>;

/** Undefined where neither was given. @throws UsageError for both. */
export function repeatGuardOf(args: Readonly<Record<string, unknown>>): boolean | undefined {
  const [on, off] = [args["repeat-guard"] === true, args["no-repeat-guard"] === true];
  if (on && off) throw new UsageError("--repeat-guard: expected one of it and --no-repeat-guard, got both");
  return on || off ? on : undefined;
}

export const decodingOptions = {
  beams: { type: "integer", hint: "N", least: 1, about: "Beams of beam search (default: the task's, 1 as published)" },
  "max-new-tokens": { type: "integer", hint: "N", least: 1, about: "Most tokens of an answer" },
  "copy-only": {
    type: "flag",
    about: "Names are copied from the text, whole words in a row; the rest is the task's own words",
  },
  ...lookupOptions,
  ...repeatGuardOptions,
} as const satisfies Readonly<Record<string, Option>>;

interface Values extends Readonly<Record<string, unknown>> {
  readonly beams: number | undefined;
  readonly "max-new-tokens": number | undefined;
  readonly "copy-only": boolean;
  readonly "no-lookup": boolean;
}

/** The options that were given. */
export function toPredictOptions(args: Values): Omit<PredictOptions, "onProgress"> {
  return {
    decoding: args.beams === undefined ? undefined : { beams: args.beams },
    maxNewTokens: args["max-new-tokens"],
    copyOnly: args["copy-only"],
    repeatGuard: repeatGuardOf(args),
    lookup: args["no-lookup"] ? false : undefined,
  };
}
