/** Perplexity by strided windows against sums over the model's logits. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { loadModel } from "../model.ts";
import { type Report, valueOf } from "../metrics/report.ts";
import { random } from "../tensor/random.ts";
import { evaluatePerplexity } from "./perplexity.ts";
import type { TokenStream } from "./perplexity-text.ts";

const folder = fileURLToPath(new URL("../../test/goldens/biogpt/model", import.meta.url));
const model = await loadModel(folder, { threads: 1 });
afterAll(() => model.dispose());

const numbers = random(7);
const ids = Array.from({ length: 23 }, () => numbers.integer(61));
const stream: TokenStream = { tokens: ids.length, read: (start, length) => ids.slice(start, start + length) };

/** -log p(ids[position]) given the ids from `begin`. */
async function nats(begin: number, position: number): Promise<number> {
  const { logits } = await model.forward({ ids: [ids.slice(begin, position)] });
  const last = Array.from(logits.data.slice(-logits.dims[2]!));
  const largest = Math.max(...last);
  const logSum = largest + Math.log(last.reduce((sum, x) => sum + Math.exp(x - largest), 0));
  return logSum - last[ids[position]!]!;
}

describe("perplexity by strided windows", () => {
  test("scores every token once, with the context that its window has", async () => {
    let sum = 0;
    // Windows of 8 in steps of 3: tokens 1-8 from 0, then 9-11 from 3, 12-14 from 6, 15-17, 18-20, 21-22.
    for (let position = 1; position < ids.length; position++) {
      const end = position <= 8 ? 8 : Math.min(22, 8 + 3 * Math.ceil((position - 8) / 3));
      sum += await nats(Math.max(0, end - 8), position);
    }
    const seen: (string | undefined)[] = [];
    const onProgress = ({ text }: { text?: string | undefined }): void => void seen.push(text);
    const options = { context: 8, stride: 3, threads: 1, onProgress };
    const report = await evaluatePerplexity(folder, { stream, words: 11, bytes: 70 }, options);
    expect(report.examples).toBe(22);
    expect(Math.log(valueOf(report, "perplexity")) * 22).toBeCloseTo(sum, 3);
    expect(Math.log(valueOf(report, "word_perplexity")) * 11).toBeCloseTo(sum, 3);
    expect(valueOf(report, "bits_per_byte") * 70 * Math.LN2).toBeCloseTo(sum, 3);
    expect(seen.at(-1)).toBe(`perplexity ${valueOf(report, "perplexity").toFixed(2)}`);
  });

  test("refuses tokens of another vocabulary and windows that do not fit", async () => {
    const foreign: TokenStream = { tokens: 2, read: () => [2, 61] };
    await expect(evaluatePerplexity(folder, { stream: foreign })).rejects.toThrow("expected an id below 61, got 61");
    await expect(evaluatePerplexity(folder, { stream }, { context: 4096 })).rejects.toThrow(
      "context: expected a whole number",
    );
    await expect(evaluatePerplexity(folder, { stream }, { context: 8, stride: 9 })).rejects.toThrow("stride");
    await expect(evaluatePerplexity(folder, { stream: { tokens: 1, read: () => [2] } })).rejects.toThrow(
      "at least two tokens",
    );
  });

  test("a run goes on with weights in the format that it began with, and in no other", async () => {
    const scratch = mkdtempSync(join(tmpdir(), "galen-perplexity-"));
    const run = (name: string, resume: boolean, weights?: "float32" | "int8"): Promise<Report> =>
      evaluatePerplexity(folder, { stream }, { context: 8, threads: 1, output: join(scratch, name), resume, weights });
    try {
      const float = await run("float", false);
      expect(await run("float", true, "float32")).toEqual(float);
      await expect(run("float", true, "int8")).rejects.toThrow("as the run there has");
      const packed = await run("packed", false, "int8");
      expect(await run("packed", true, "int8")).toEqual(packed);
      await expect(run("packed", true)).rejects.toThrow(
        'weights: expected "int8", as the run there has, got "float32"',
      );
    } finally {
      rmSync(scratch, { recursive: true });
    }
  });
});
