/** Log-likelihoods of choices against sums over the model's logits, sequence by sequence. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { writeTinyTask } from "../test/support/tiny-task.ts";
import { loadLikelihoods } from "./likelihoods.ts";
import { loadModel } from "./model.ts";
import { loadTokenizer } from "./tokenizers/files.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-likelihoods-"));
const { start } = await writeTinyTask(folder);
const model = await loadModel(start, { threads: 1 });
const tokenizer = await loadTokenizer(start);
const likelihoods = await loadLikelihoods(start, { threads: 1 });
afterAll(async () => {
  await model.dispose();
  await likelihoods[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

/** Σ log p of the last `count` tokens, each given all before it. */
async function sumOver(ids: readonly number[], count: number): Promise<number> {
  const { logits } = await model.forward({ ids: [ids.slice(0, -1)] });
  const width = logits.dims[2]!;
  let sum = 0;
  for (let at = ids.length - count; at < ids.length; at++) {
    const row = Array.from(logits.data.subarray((at - 1) * width, at * width));
    const largest = Math.max(...row);
    const logSum = largest + Math.log(row.reduce((all, x) => all + Math.exp(x - largest), 0));
    sum += row[ids[at]!]! - logSum;
  }
  return sum;
}

test("each choice has the log-probability of its tokens after its own context, whatever the batches", async () => {
  const contexts = ["Aspirin raises", "in man. ", "", "Codeine lowers Insulin levels again and again and"];
  const choices = [
    [" Warfarin levels", " levels"],
    ["effect"],
    ["Aspirin", "man.", "and"],
    [" in man.", " and in man."],
  ];
  const found = await likelihoods.logLikelihoods(contexts, choices);
  expect(found.map(({ length }) => length)).toEqual(choices.map(({ length }) => length));
  for (const [i, context] of contexts.entries()) {
    for (const [k, choice] of choices[i]!.entries()) {
      const ids = tokenizer.encodeIds(context + choice);
      const count = ids.length - tokenizer.encodeIds(context.trimEnd()).length;
      expect(count).toBeGreaterThan(0);
      expect(found[i]![k]).toBeCloseTo(await sumOver(ids, count), 4);
    }
  }
  const alone = await likelihoods.logLikelihoods(contexts.slice(0, 1), [[" levels"]]);
  expect(alone[0]![0]).toBeCloseTo(found[0]![1]!, 4);
});

test("a context that is too long loses its beginning, and a choice that is, or that is empty, is refused", async () => {
  const long = "Aspirin raises Warfarin levels again and ".repeat(20).trimEnd();
  const [[found]] = (await likelihoods.logLikelihoods([long], [[" in man."]])) as [[number]];
  const ids = tokenizer.encodeIds(`${long} in man.`);
  expect(ids.length).toBeGreaterThan(65);
  expect(found).toBeCloseTo(await sumOver(ids.slice(-65), ids.length - tokenizer.encodeIds(long).length), 4);
  await expect(likelihoods.logLikelihoods(["x"], [[` ${long}`]])).rejects.toThrow(
    /choices: expected 1 to 64 tokens, got/,
  );
  await expect(likelihoods.logLikelihoods(["x"], [[""]])).rejects.toThrow(/choices: expected 1 to 64 tokens, got 0/);
});

test("a model that is no decoder is refused", async () => {
  const bert = fileURLToPath(new URL("../test/goldens/retrieval/mean", import.meta.url));
  await expect(loadLikelihoods(bert)).rejects.toThrow("expected a decoder, got bert");
});
