/** What the commands that score texts against texts have in common: where the model runs, and what its score is. */
import { modelOptions, loadOptions, type Option } from "./command.ts";

export const scorerOptions = {
  label: { type: "text", hint: "CLASS", about: "Of a reranker with several classes: the one that is the score" },
  ...modelOptions,
} as const satisfies Readonly<Record<string, Option>>;

/** `scorerOptions` as `openScorer` takes them. */
export function scorerLoadOptions(
  args: Parameters<typeof loadOptions>[0] & { readonly label: string | undefined },
): ReturnType<typeof loadOptions> & { readonly label: string | undefined } {
  return { ...loadOptions(args), label: args.label };
}
