/**
 * run.json: the configuration of a run and what it reads, with fingerprints. A run is gone on with as it was begun; what
 * differs is named, field by field.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { ConfigError } from "../errors.ts";
import { filesFingerprint, pathFingerprint } from "../io/fingerprint.ts";
import { writeFileAtomically } from "../io/files.ts";
import { flat } from "../io/journal.ts";
import { readSettings } from "../io/json.ts";
import type { Config } from "./config.ts";
import { hubSourceOf } from "../hub/index.ts";
import { sourceOf } from "./inputs.ts";
import type { Inputs } from "./objectives/objective.ts";

const recordName = "run.json";

/** Contents of run.json. */
export type RunRecord = Readonly<Record<string, unknown>>;

interface Fingerprints {
  readonly fingerprints: Readonly<
    Record<"model" | "tokenizer" | "teacher" | "reward" | "data" | "valid" | "replay", string | undefined>
  >;
}

/** The model that a training started from, as the model which it makes names it. */
export interface Base {
  readonly name: string;
  readonly fingerprint: string | undefined;
}

/** Undefined where all weights are new. */
export function baseOf(
  { model }: Pick<Inputs, "model">,
  { fingerprints }: { readonly fingerprints: { readonly model?: string | undefined } },
): Base | undefined {
  return model === undefined ? undefined : { name: modelName(model), fingerprint: fingerprints.model };
}

/** "nano" of runs/nano/model; name and commit of a model of the hub. */
export function modelName(folder: string): string {
  const source = hubSourceOf(folder);
  if (source !== undefined) return source;
  const parts = folder.split(/[\\/]/).filter((part) => part !== "");
  return (parts.at(-1) === "model" ? parts.at(-2) : parts.at(-1)) ?? folder;
}

/** The record of a run on these inputs. @throws DataError where one is missing. */
export async function recordOf(
  config: Config,
  { model, tokenizer, teacher, reward, data, valid, replay, limit }: Inputs,
): Promise<RunRecord & Fingerprints> {
  const of = async (path: string | undefined): Promise<string | undefined> =>
    path === undefined ? undefined : pathFingerprint(existsSync(path) ? path : `${path}.bin`);
  const all = async (paths: Inputs["data"]): Promise<string> => (await Promise.all([paths].flat().map(of))).join("; ");
  const named = typeof tokenizer === "string" ? tokenizer : undefined;
  const rewarding = typeof reward === "string" ? reward : undefined;
  return {
    ...config,
    inputs: {
      model: sourceOf(model),
      tokenizer: sourceOf(named),
      teacher: sourceOf(teacher),
      reward: sourceOf(rewarding),
      data,
      valid,
      replay,
    },
    limit,
    fingerprints: {
      model: await of(model),
      tokenizer: typeof tokenizer === "object" ? filesFingerprint(tokenizer.files()) : await of(named),
      teacher: await of(teacher),
      // Of a function its name is all that can be known.
      reward: typeof reward === "function" ? `function ${reward.name}` : await of(rewarding),
      data: await all(data),
      valid: await of(valid),
      replay: replay && (await all(replay)),
    },
  };
}

/** What a run may change without becoming another: where it computes, and what is seen and kept of it on the way. */
const free = ["inputs", "device", "threads", "evaluate", "sample", "save", "recipe"];

const covers = (names: readonly string[], field: string): boolean =>
  names.some((name) => field === name || field.startsWith(`${name}.`));

/**
 * Compares a run's record with the one in its folder. `change`: fields that are meant to differ.
 * @throws ConfigError that names every other field that does.
 */
export async function checkRecord(output: string, record: RunRecord, change: readonly string[]): Promise<void> {
  const before = await readSettings(join(output, recordName));
  if (before === undefined) return;
  // Records from before fingerprints were kept have none to compare.
  const [there, now] = [flat(before), flat(JSON.parse(JSON.stringify(record)) as Record<string, unknown>)];
  const comparable = [...now.keys(), ...there.keys()].filter(
    (field) => before["fingerprints"] !== undefined || !field.startsWith("fingerprints."),
  );
  const differing = [...new Set(comparable)].filter(
    (field) => there.get(field) !== now.get(field) && !covers([...free, ...change], field),
  );
  if (differing.length === 0) return;
  const show = (value: string | undefined): string => (value ?? "none").slice(0, 60);
  const lines = differing.map(
    (field) => `\n  ${field}: ${show(there.get(field))} in the run, ${show(now.get(field))} now`,
  );
  throw new ConfigError(`${output}: expected the run as it was begun, got other settings or inputs:${lines.join("")}`, {
    hint: `give what it was begun with, or say what is meant to change: --change ${differing[0]}`,
  });
}

export async function writeRecord(output: string, record: RunRecord): Promise<void> {
  await writeFileAtomically(join(output, recordName), `${JSON.stringify(record, null, 2)}\n`);
}
