/**
 * A model that is another with a low-rank adapter of peft's: which of its parameters a module is, in which role it is
 * opened, and what changes in its configuration where layers were trained whole.
 */
import type { TensorEntry } from "../checkpoints/entries.ts";
import { mergedEntry, type PeftAdapter } from "../checkpoints/peft.ts";
import { CheckpointError } from "../errors.ts";
import type { ModelConfig, Role } from "../models/index.ts";
import type { ModelFolder, OpenedFolder } from "./bind.ts";

/** What peft's `task_type` opens a base as. */
const roles: Readonly<Record<string, Role>> = {
  CAUSAL_LM: "language",
  SEQ_CLS: "sequence",
  TOKEN_CLS: "token",
  FEATURE_EXTRACTION: "bare",
};

export function roleOf({ task }: PeftAdapter): Role | undefined {
  return task !== undefined && Object.hasOwn(roles, task) ? roles[task] : undefined;
}

/** @throws CheckpointError where the adapter has a layer that the base lacks, or of another shape. */
export function withAdapter(base: OpenedFolder, adapter: PeftAdapter): ModelFolder {
  const { family } = base;
  const stored = new Map<string, { readonly dims: readonly number[] }>(adapter.whole);
  for (const [module, { b, a }] of adapter.products) {
    stored.set(`${module}.weight`, { dims: [b.dims[0]!, a.dims[1]!] });
  }
  const { parameterOf } = family.adapt?.(base.config, stored) ?? { parameterOf: (name: string) => name };
  const entries = new Map(base.entries);
  const whole = new Map<string, TensorEntry>();
  for (const [name, entry] of adapter.whole) {
    const parameter = parameterOf(name);
    if (parameter !== undefined) whole.set(parameter, entry);
  }
  for (const [parameter, entry] of whole) entries.set(parameter, entry);
  for (const [module, product] of adapter.products) {
    const parameter = parameterOf(`${module}.weight`);
    const weight = parameter === undefined ? undefined : entries.get(parameter);
    if (weight === undefined) {
      throw new CheckpointError(
        `${product.a.file}: expected modules of the base ${base.folder}, got "${module.slice(0, 100)}"`,
        {
          hint: "the adapter belongs to another base",
        },
      );
    }
    entries.set(parameter!, mergedEntry(weight, product));
  }
  return { folder: adapter.folder, family, config: grown(base, whole), entries };
}

/** The configuration with the sizes that parameters which were trained whole have: new tokens, classes. */
function grown({ family, config, folder }: OpenedFolder, whole: ReadonlyMap<string, TensorEntry>): ModelConfig {
  const changed: Record<string, unknown> = {};
  for (const { field, value, parameter, axis, uncounted = 0 } of family.measures(config).sizes) {
    const has = whole.get(parameter)?.dims[axis];
    if (has === undefined || has - uncounted === (value ?? (config as unknown as Record<string, number>)[field]))
      continue;
    if (field === "id2label") Object.assign(changed, { id2label: undefined, num_labels: has });
    else changed[field] = has - uncounted;
  }
  return Object.keys(changed).length === 0 ? config : family.parseConfig({ ...config, ...changed }, folder);
}
