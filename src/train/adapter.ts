/**
 * What a training of low-rank products writes beside its model: the products alone, as an adapter of peft's on the model
 * that it started from. Where an adapter cannot hold all that was trained, none is written and the run says why.
 */
import { statSync } from "node:fs";
import { resolve } from "node:path";
import { isFloat } from "../checkpoints/floats.ts";
import { isAdapterFolder, type AdapterToWrite } from "../checkpoints/peft.ts";
import { hubSourceOf } from "../hub/index.ts";
import type { Config } from "./config.ts";
import type { Inputs, Objective } from "./objectives/objective.ts";
import type { Run } from "./run.ts";
import { isAdapter } from "./trainable.ts";

/** Of a run, why its result is not an adapter on the model that it started from; undefined where it is one. */
export function adapterRefusal(
  { average }: Pick<Config, "average">,
  { model }: Pick<Inputs, "model">,
  { start }: Pick<Objective, "start">,
  { learned }: Pick<Run, "learned">,
): string | undefined {
  const { family, config, entries } = start;
  const { prefix } = family.measures(config).layers;
  const names = [...learned.tensors.keys()];
  const whole = names.find((name) => !isAdapter(name));
  const outside = names.find((name) => !name.startsWith(prefix));
  const few = names.find((name) => {
    const weight = entries.get(weightOf(name));
    return weight !== undefined && !isFloat(weight.dtype);
  });
  if (model === undefined || start.folder === undefined) return "there is no model that it would belong to";
  if (!statSync(model).isDirectory()) return `peft opens no file as a base (${model})`;
  if (isAdapterFolder(model)) return `the base is itself an adapter (${model})`;
  if ((config.architectures?.[0] ?? family.architecture) !== family.architecture) return "it is no language model's";
  if (average > 1) return "a mean of epochs is no low-rank product";
  if (whole !== undefined) return `${whole.replace(/^rows:/, "new rows of ")} learned beside the layers`;
  if (outside !== undefined) return `${outside} is outside the layers`;
  return few === undefined ? undefined : `${weightOf(few)} is stored in few bits`;
}

const weightOf = (name: string): string => name.replace(/lora_[AB]\.weight$/, "weight");

/** The products as they are now. @pre `adapterRefusal` has nothing to say. */
export function adapterOf(
  { lora: { rank, alpha, targets } }: Pick<Config, "lora">,
  { model }: Pick<Inputs, "model">,
  { start: { family } }: Pick<Objective, "start">,
  { learned: { tensors }, transposed }: Pick<Run, "learned" | "transposed">,
): AdapterToWrite {
  // A model of the hub is named as peft names it, its commit apart.
  const [base, revision] = hubSourceOf(model!)?.split("@") ?? [resolve(model!)];
  return {
    rank,
    alpha,
    targets: targets ?? family.loraTargets,
    base: base!,
    revision,
    task: family.causal ? "CAUSAL_LM" : undefined,
    turned: [...tensors.keys()].some((name) => transposed(weightOf(name))),
    tensors,
  };
}
