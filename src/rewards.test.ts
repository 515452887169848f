/** Rewards of answers are what transformers computes, whatever they are computed together with. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { trainBy } from "../test/support/training.ts";
import { loadRewardModel } from "./rewards.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const goldens = join(root, "test/goldens/trl-preferences");
const folder = mkdtempSync(join(tmpdir(), "galen-rewards-"));
afterAll(() => rmSync(folder, { recursive: true }));

const golden = JSON.parse(readFileSync(join(goldens, "goldens.json"), "utf8")) as {
  readonly pairs: number;
  readonly rewards: Readonly<Record<string, readonly number[]>>;
};
const sample = join(root, "samples/preferences.jsonl");
type Line = Readonly<Record<"prompt" | "chosen" | "rejected", string>>;
const pairs = readFileSync(sample, "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line) as Line);
const exchangesOf = (some: readonly Line[]): { prompt: string; completion: string }[] =>
  some.flatMap(({ prompt, chosen, rejected }) => [
    { prompt, completion: chosen },
    { prompt, completion: rejected },
  ]);

test.each(["llama", "gpt2"])("%s: rewards equal those of transformers", async (name) => {
  const model = join(folder, name);
  cpSync(join(goldens, name), model, { recursive: true });
  const path = join(model, "config.json");
  const config = JSON.parse(readFileSync(path, "utf8")) as { architectures: string[] };
  const architectures = [config.architectures[0]!.replace(/(?:LMHeadModel|ForCausalLM)$/, "ForSequenceClassification")];
  writeFileSync(path, JSON.stringify({ ...config, architectures }));
  await using rewards = await loadRewardModel(model);
  const exchanges = exchangesOf(pairs.slice(0, golden.pairs));
  const found = await rewards.score(exchanges);
  golden.rewards[name]!.forEach((wanted, i) => expect(found[i]).toBeCloseTo(wanted, 5));
  expect((await rewards.score([exchanges[3]!]))[0]).toBeCloseTo(found[3]!, 5);
  expect(await rewards.score([])).toEqual([]);
  await expect(rewards.score(["text"] as never)).rejects.toThrow(/exchanges\[0\]: expected/);
  const messages = [
    { prompt: [{ role: "user", content: "Why?" }], completion: [{ role: "assistant", content: "So." }] },
  ];
  await expect(rewards.score(messages)).rejects.toThrow("expected one for messages, got none");
});

test("a model that was trained gives chosen answers the larger reward", async () => {
  const output = join(folder, "run");
  const settings = ["device=cpu", "batch=10", "epochs=8", "schedule.peak=3e-3"];
  await trainBy("reward", settings, { model: join(goldens, "llama"), data: sample, output });
  await using rewards = await loadRewardModel(join(output, "model"));
  const found = await rewards.score(exchangesOf(pairs));
  const right = pairs.filter((_, i) => found[2 * i]! > found[2 * i + 1]!).length;
  expect(right / pairs.length).toBeGreaterThan(0.9);
});

test("a language model is refused, with what makes a reward model", async () => {
  await expect(loadRewardModel(join(goldens, "gpt2"))).rejects.toThrow(
    /expected a reward model, .*got GPT2LMHeadModel/,
  );
});
