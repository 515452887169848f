/** Generation against transformers (scripts/goldens/biogpt.py): ids and beam scores of every golden. */
import { readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { afterAll, describe, expect, test } from "vitest";
import type { GenerateOptions } from "../src/generate/index.ts";
import { loadModel } from "../src/model.ts";
import { endingFolder, goldenFolder as folder } from "./support/generation.ts";

interface Golden {
  readonly model: "plain" | "ending";
  readonly options: Record<string, unknown>;
  readonly prompt: number[];
  readonly sequences: number[][];
  readonly scores: number[] | null;
}

const goldens = JSON.parse(readFileSync(`${folder}/goldens.json`, "utf8")) as {
  prompts: number[][];
  generate: Golden[];
  batches: { options: Record<string, unknown>; continuations: number[][] }[];
};

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
