/**
 * Source, soft prompt and target as one sequence of ids (Luo et al. 2022, arXiv:2210.10341, §3; microsoft/BioGPT
 * 648f7d6, language_model_prompt_dataset.py). The model sees `</s> source prompt target`; its labels are the same
 * shifted by one, `</s>` last, and all of them count. Prompt rows are put in by id: typed "learned1" is no token.
 */
import { ConfigError } from "../errors.ts";
import type { Benchmark } from "../tasks/benchmark.ts";
import type { Tokenizer } from "../tokenizers/tokenizer.ts";
import { maxTargetTokens, type Truncation } from "./formats.ts";

/** What cutting needs of a task, after settings and the model's length had their say. */
export interface Layout {
  readonly tokenizer: Tokenizer;
  readonly promptIds: readonly number[];
  readonly truncation: Truncation;
  /** Id of the token that marks a cut. */
  readonly markerId: number;
}

/** The layout of a task. @throws ConfigError where no room is left for the target. */
export function createLayout(
  task: Pick<Benchmark, "name">,
  tokenizer: Tokenizer,
  { promptIds, truncation }: Pick<Layout, "promptIds" | "truncation">,
): Layout {
  const room = maxTargetTokens({ truncation, promptLength: promptIds.length });
  if (room < 3) {
    throw new ConfigError(
      `${task.name}: expected room for a target, got ${truncation.maxPositions} positions for ` +
        `${truncation.maxSourceTokens} source tokens and a prompt of ${promptIds.length}`,
      { hint: "lower truncation.maxSourceTokens" },
    );
  }
  const markerId = tokenizer.idOfWord(truncation.marker) ?? tokenizer.special.unk ?? 0;
  return { tokenizer, promptIds, truncation, markerId };
}

export interface Source {
  /** `</s> source prompt`: what generation continues. */
  readonly ids: number[];
  /** True where the source was cut. */
  readonly cut: boolean;
}

/** `</s> source prompt`; a longer source keeps the budget's tokens, the last of them the marker. */
export function layoutSource({ tokenizer, promptIds, truncation, markerId }: Layout, source: string): Source {
  const [end, ...tokens] = tokenizer.encodeIds(source);
  const { maxSourceTokens } = truncation;
  const cut = tokens.length > maxSourceTokens;
  const kept = cut ? [...tokens.slice(0, maxSourceTokens - 1), markerId] : tokens;
  return { ids: [end!, ...kept, ...promptIds], cut };
}

export interface LaidOut {
  /** `</s> source prompt target </s>`. */
  readonly ids: number[];
  /** Source and target tokens: fairseq's measure of an example, which leaves the prompt out. */
  readonly size: number;
  readonly cutSource: boolean;
  readonly cutTarget: boolean;
}

/** A training example; a target beyond its budget ends with the marker before `</s>`. */
export function layoutExample(layout: Layout, source: string, target: string): LaidOut {
  const { ids, cut } = layoutSource(layout, source);
  const end = ids[0]!;
  const room = maxTargetTokens({ truncation: layout.truncation, promptLength: layout.promptIds.length });
  const tokens = [...layout.tokenizer.encodeIds(target).slice(1), end];
  const cutTarget = tokens.length > room;
  const kept = cutTarget ? [...tokens.slice(0, room - 2), layout.markerId, end] : tokens;
  const size = ids.length - 1 - layout.promptIds.length + kept.length;
  return { ids: [...ids, ...kept], size, cutSource: cut, cutTarget };
}
