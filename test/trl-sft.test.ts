/** Supervised fine-tuning against ten updates of TRL's SFTTrainer on tiny models of two families. */
import { readFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { readExchanges } from "../src/corpus/index.ts";
import { openTurns } from "../src/tokenizers/index.ts";
import { loadTokenizer } from "../src/tokenizers/files.ts";
import { trainBy } from "./support/training.ts";

interface Run {
  readonly losses: readonly number[];
  readonly ids: readonly (readonly number[])[];
  readonly masks: readonly (readonly number[])[];
}
type Family = "llama" | "qwen2";
const goldens = fileURLToPath(new URL("goldens/trl-sft", import.meta.url));
const golden = JSON.parse(readFileSync(join(goldens, "goldens.json"), "utf8")) as Readonly<
  Record<Family, Readonly<Record<string, Run>>>
> & { readonly rate: number };
const folder = mkdtempSync(join(tmpdir(), "galen-trl-sft-"));
afterAll(() => rmSync(folder, { recursive: true }));

const cases = (["llama", "qwen2"] as const).flatMap((family) =>
  Object.entries(golden[family]).map(([kind, run]) => [family, kind, run] as const),
);

test("there are messages, completions and chats of two families", () => expect(cases.length).toBe(6));

describe.each(cases)("%s, %s", (family, kind, { losses, ids, masks }) => {
  const model = join(goldens, family);
  const data = join(goldens, "data", `${kind}.jsonl`);

  test("tokens, and which of them are learned, are TRL's", async () => {
    const turns = await openTurns(await loadTokenizer(model));
    const found = (await readExchanges(data)).map((one) => {
      const [row, ...more] = "messages" in one ? turns.conversation(one) : [turns.completion(one)];
      expect(more).toEqual([]);
      return row!;
    });
    expect(found.map((one) => one.ids)).toEqual(ids);
    expect(found.map(({ supervised }) => supervised.map(Number))).toEqual(masks);
    expect(masks.flat().includes(1) && masks.flat().includes(0)).toBe(true);
  });

  test.each([
    ["packed, in two micro-batches", ["packing=true", "batch=4", "accumulate=2"]],
    ["padded, in one", ["packing=false", "batch=8"]],
    ["one by one", ["packing=true", "batch=1", "accumulate=8"]],
  ])("ten updates have TRL's losses: %s", async (name, settings) => {
    const found: number[] = [];
    const optimiser = ["betas=[0.9,0.98]", "epsilon=1e-8", "weightDecay=0", "clipNorm=1"].map(
      (one) => `optimiser.${one}`,
    );
    const schedule = ["kind=constant", "warmup=0", `peak=${golden.rate}`].map((one) => `schedule.${one}`);
    const usual = [
      "accumulate=1",
      "steps=10",
      "maxTokens=128",
      "threads=1",
      "device=cpu",
      "sample.every=0",
      "save.every=0",
    ];
    await trainBy("instruct", [...usual, ...optimiser, ...schedule, ...settings], {
      model,
      data,
      output: join(folder, `${family}-${kind}-${name.replaceAll(/\W+/g, "-")}`),
      onEvent: (event) => void (event.type === "step" && found.push(event.loss)),
    });
    expect(found.length).toBe(10);
    losses.forEach((loss, i) => expect(Math.abs(found[i]! / loss - 1), `update ${i + 1}`).toBeLessThan(1e-5));
    expect(losses[9]!).toBeLessThan(losses[0]! - 1);
  });
});
