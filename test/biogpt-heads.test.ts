/** BioGPT's classification heads against transformers (scripts/goldens/biogpt-heads.py). */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { openSafetensors } from "../src/checkpoints/safetensors.ts";
import { loadModel, type Model } from "../src/model.ts";
import { expectGradients, expectTenSteps, type HeadGolden, kept, largestDifference } from "./support/goldens.ts";

type Side = "left" | "right";
type Rows = { readonly ids: number[][]; readonly mask: number[][] };
type Golden = HeadGolden & Readonly<Record<Side, number[]>>;

const folder = fileURLToPath(new URL("goldens/biogpt-heads", import.meta.url));
const goldens = JSON.parse(readFileSync(`${folder}/goldens.json`, "utf8")) as Readonly<Record<Side, Rows>> & {
  readonly heads: Readonly<Record<string, Golden>>;
  readonly hidden: number[];
};
const open = (name: string): Promise<Model> => loadModel(`${folder}/${name}`, { threads: 1 });

describe.each(Object.entries(goldens.heads))("BioGPT with head %s equals transformers", (name, golden) => {
  test.each(["left", "right"] as const)("logits with padding on the %s", async (side) => {
    const { ids, mask } = goldens[side];
    await using model = await open(name);
    const { logits } = await model.forward({ ids, mask });
    const [actual, expected] = [logits.data, golden[side]].map((data) =>
      name === "tokens" ? kept(data!, mask) : data!,
    );
    expect(largestDifference(actual!, expected!)).toBeLessThan(1e-4);
  });

  test("loss and every gradient", async () => {
    await using model = await open(name);
    await expectGradients(`${folder}/${name}`, model, goldens.right, golden);
  });

  test("losses and weights of ten AdamW steps with clipping", async () => {
    await expectTenSteps(`${folder}/${name}`, goldens.right, golden);
  });
});

test("padding that no mask tells of is not pooled", async () => {
  await using model = await open("single");
  const { logits } = await model.forward({ ids: goldens.right.ids });
  expect(largestDifference(logits.data, goldens.heads["single"]!.right)).toBeLessThan(1e-4);
});

test("hidden states of the bare model, saved without a prefix, equal transformers", async () => {
  const { ids, mask } = goldens.right;
  await using model = await open("bare");
  const { hidden } = await model.hidden({ ids, mask });
  expect(largestDifference(kept(hidden.data, mask), kept(goldens.hidden, mask))).toBeLessThan(1e-4);
  await expect(model.forward({ ids })).rejects.toThrow("expected a model with a head, got BioGptModel");
});

test("a saved classifier has the same names and settings", async () => {
  const output = mkdtempSync(join(tmpdir(), "galen-heads-"));
  try {
    await using model = await open("several");
    await model.save(output);
    const names = async (path: string): Promise<string[]> => [...(await openSafetensors(path)).entries.keys()].sort();
    expect(await names(`${output}/model.safetensors`)).toEqual(await names(`${folder}/several/model.safetensors`));
    const config = (path: string): object => JSON.parse(readFileSync(`${path}/config.json`, "utf8"));
    expect(config(output)).toMatchObject(config(`${folder}/several`));
  } finally {
    rmSync(output, { recursive: true });
  }
});
