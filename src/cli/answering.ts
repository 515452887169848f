/** What the commands that answer from an index have in common: which index, with which models, narrowed down by what. */
import type { AskOptions } from "../answers/index.ts";
import type { SearchIndex } from "../search/index.ts";
import { loadOptions, modelOption, modelOptions, type Option } from "./command.ts";
import { filterOptions, filtersOf } from "./filter-options.ts";

/** Retracted documents are left out as it is. */
const { "no-retracted": _, ...narrowing } = filterOptions;

export const answeringOptions = {
  index: { type: "text", hint: "DIR", required: true, about: "Made by galen index" },
  embeddings: { ...modelOption, about: "Where the index's own model is, if no longer where it was" },
  rerank: { ...modelOption, about: "Cross-encoder that puts documents and sentences in order" },
  retracted: { type: "flag", about: "Use retracted documents too; they are marked" },
  ...narrowing,
  ...modelOptions,
} as const satisfies Readonly<Record<string, Option>>;

type Values = Parameters<typeof loadOptions>[0] & {
  readonly index: string;
  readonly embeddings: string | undefined;
  readonly rerank: string | undefined;
};

type Narrowed = Omit<Parameters<typeof filtersOf>[0], "no-retracted"> & { readonly retracted: boolean };

/** What of the index is asked. */
export async function askedOf(args: Narrowed): Promise<Pick<AskOptions, "filters" | "retracted">> {
  const filters = await filtersOf({ ...args, "no-retracted": false });
  return args.retracted ? { filters, retracted: true } : { filters };
}

export async function openIndexOf(args: Values): Promise<SearchIndex> {
  const { openIndex } = await import("../search/index.ts");
  return openIndex(args.index, { ...loadOptions(args), model: args.embeddings, reranker: args.rerank });
}
