/** Generation against transformers (scripts/goldens/biogpt.py): ids and beam scores, and what each option promises. */
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import type { GenerateOptions } from "../src/generate/index.ts";
import { loadModel } from "../src/model.ts";

interface Golden {
  readonly model: "plain" | "ending";
  readonly options: Record<string, unknown>;
  readonly prompt: number[];
  readonly sequences: number[][];
  readonly scores: number[] | null;
}

const folder = fileURLToPath(new URL("goldens/biogpt", import.meta.url));
const goldens = JSON.parse(readFileSync(`${folder}/goldens.json`, "utf8")) as {
  prompts: number[][];
  generate: Golden[];
  batches: { options: Record<string, unknown>; continuations: number[][] }[];
};

/** The golden model with its end token's embedding scaled, so that sequences end. */
async function endingFolder(): Promise<string> {
  const target = await mkdtemp(join(tmpdir(), "galen-ending-"));
  await cp(`${folder}/model`, target, { recursive: true });
  const path = join(target, "model.safetensors");
  const bytes = await readFile(path);
  const header = Number(bytes.readBigUInt64LE(0));
  const entries = JSON.parse(bytes.toString("utf8", 8, 8 + header)) as Record<
    string,
    { shape: number[]; data_offsets: number[] }
  >;
  const { shape, data_offsets: offsets } = entries["biogpt.embed_tokens.weight"]!;
  const width = shape[1]!;
  for (let i = 0; i < width; i++) {
    const at = 8 + header + offsets[0]! + 4 * (2 * width + i);
    bytes.writeFloatLE(bytes.readFloatLE(at) * Math.fround(2.2), at);
  }
  await writeFile(path, bytes);
  return target;
}

const ending = await endingFolder();
const models = {
  plain: await loadModel(`${folder}/model`, { threads: 1 }),
  ending: await loadModel(ending, { threads: 1 }),
};
afterAll(async () => {
  await models.plain.dispose();
  await models.ending.dispose();
  await rm(ending, { recursive: true });
});

const camel = (options: Record<string, unknown>): GenerateOptions =>
  Object.fromEntries(
    Object.entries(options).map(([name, value]) => [
      name.replace(/_([a-z])/g, (_, x: string) => x.toUpperCase()),
      value,
    ]),
  );
/** transformers pads sequences that are returned together; Galen cuts them at the end token. */
const unpadded = (ids: number[], prompt: number): number[] => {
  const end = ids.indexOf(2, prompt);
  return end < 0 ? ids : ids.slice(0, end + 1);
};

describe("generation equals transformers", () => {
  test.each(goldens.generate)("$model $options of $prompt", async ({ model, options, prompt, sequences, scores }) => {
    const generated = await models[model].generate({ ids: prompt, ...camel(options) });
    expect(generated.sequences).toEqual(sequences.map((ids) => unpadded(ids, prompt.length)));
    scores?.forEach((score, i) => expect(Math.abs(generated.scores[i]! - score)).toBeLessThan(1e-4));
  });

  test.each(goldens.batches)("a batch of unequal prompts, $options", async ({ options, continuations }) => {
    const { sequences } = await models.ending.generate({ ids: goldens.prompts, ...camel(options) });
    expect(sequences).toEqual(
      goldens.prompts.map((prompt, i) => unpadded([...prompt, ...continuations[i]!], prompt.length)),
    );
  });
});
