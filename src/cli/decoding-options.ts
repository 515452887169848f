/** The options of decoding that `predict`, `evaluate task` and `extract` share. */
import type { PredictOptions } from "../finetune/predict.ts";
import type { Option } from "./command.ts";

export const decodingOptions = {
  beams: { type: "integer", hint: "N", least: 1, about: "Beams of beam search (default: the task's, 1 as published)" },
  "max-new-tokens": { type: "integer", hint: "N", least: 1, about: "Most tokens of an answer" },
  "copy-only": { type: "flag", about: "Answers are made of the text's tokens and the task's own words only" },
  "repeat-guard": {
    type: "text",
    hint: "WHEN",
    choices: ["on", "off"],
    about: "End answers that go in circles (default: on with beam search)",
  },
} as const satisfies Readonly<Record<string, Option>>;

interface Values {
  readonly beams: number | undefined;
  readonly "max-new-tokens": number | undefined;
  readonly "copy-only": boolean;
  readonly "repeat-guard": string | undefined;
}

/** The options that were given. */
export function toPredictOptions(args: Values): PredictOptions {
  const guard = args["repeat-guard"];
  return {
    decoding: args.beams === undefined ? undefined : { beams: args.beams },
    maxNewTokens: args["max-new-tokens"],
    copyOnly: args["copy-only"],
    repeatGuard: guard === undefined ? undefined : guard === "on",
  };
}
