/** The model card of a training that was handed on, from what its folder says. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { readJson } from "../io/json.ts";
import { type Config, configSchema } from "../train/config.ts";
import { writeModelCard } from "../train/model-card.ts";
import { baseOf } from "../train/record.ts";
import { type Job, readJob } from "./job.ts";

const text = z.string().optional();

/** run.json: the configuration with what it was read from. */
const record = z.looseObject({
  inputs: z.looseObject({ model: text, data: z.union([z.string(), z.array(z.string())]), valid: text }),
  fingerprints: z.looseObject({ model: text }),
});

/** Writes MODEL/README.md, where the job's folder says how it was trained. */
export async function writeJobCard(folder: string, model: string, step: number): Promise<void> {
  const path = join(folder, "run.json");
  // A folder of which a part was copied still gives its model.
  if (!existsSync(path) || !existsSync(join(folder, "metrics.jsonl"))) return;
  const { inputs, fingerprints, ...fields } = await readJson(path, record);
  const known = Object.keys(configSchema.shape);
  const config = configSchema.parse(Object.fromEntries(known.map((name) => [name, fields[name]]))) as Config;
  const { train, valid, objective, model: weights } = await readJob(folder);
  const count = ({ files }: Job["train"]): number => {
    const all = files.reduce((sum, { examples }) => sum + examples, 0);
    return objective.kind === "preference" ? all / 2 : all;
  };
  await writeModelCard({
    config,
    inputs,
    base: baseOf(inputs, { fingerprints }),
    output: folder,
    result: { step, model },
    objective: {
      perplexity: objective.kind !== "preference",
      train: { count: count(train) },
      valid: valid && { count: count(valid) },
    },
    learned: weights.parameters,
    inBits: 0,
  });
}
