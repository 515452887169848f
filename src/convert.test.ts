import { copyFileSync, cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { writeTinyTask } from "../test/support/tiny-task.ts";
import { openCheckpoint } from "./checkpoints/checkpoint.ts";
import { readTensor } from "./checkpoints/entries.ts";
import { convertModel, type ModelFormat } from "./convert.ts";
import { loadTokenizer } from "./tokenizers/files.ts";

const goldens = fileURLToPath(new URL("../test/goldens/checkpoints", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "galen-convert-"));
afterAll(() => rmSync(folder, { recursive: true }));
const tiny = await writeTinyTask(folder);

async function bytesOf(path: string): Promise<Map<string, string>> {
  const entries = [...(await openCheckpoint(path))].filter(([name]) => name !== "output_projection.weight");
  return new Map(
    await Promise.all(
      entries.map(
        async ([name, entry]) => [name, Buffer.from((await readTensor(entry)).data.buffer).toString("hex")] as const,
      ),
    ),
  );
}

describe("conversion", () => {
  test.each(["safetensors", "pytorch", "fairseq"] as const)(
    "to %s and back gives the same weights, logits and tokens",
    async (format: ModelFormat) => {
      const there = join(folder, format);
      const { parity, tokenizer, notes } = await convertModel({ source: tiny.start, output: there, format });
      expect({ parity: parity.difference, tokenizer, notes }).toEqual({ parity: 0, tokenizer: true, notes: [] });
      const back = join(folder, `${format}-back`);
      const again = await convertModel({ source: there, output: back });
      expect(again.parity.difference).toBe(0);
      expect(again.parity.largest).toBeGreaterThan(0.1);
      expect(await bytesOf(back)).toEqual(await bytesOf(tiny.start));
      const [first, last] = [await loadTokenizer(tiny.start), await loadTokenizer(back)];
      const text = "Aspirin raises Warfarin levels in man.";
      expect(last.encodeIds(text)).toEqual(first.encodeIds(text));
    },
  );

  test.each(["bin", "legacy", "sharded-bin", "sharded-safetensors", "fp16", "bf16"])(
    "reads the format of PyTorch's %s",
    async (name) => {
      const source = join(folder, "golden", name);
      cpSync(join(goldens, name), source, { recursive: true });
      copyFileSync(join(goldens, "safetensors/config.json"), join(source, "config.json"));
      const { parity, tokenizer, notes } = await convertModel({ source, output: join(folder, "read", name) });
      expect(parity.difference).toBe(0);
      expect(tokenizer).toBe(false);
      expect(notes.join("\n")).toMatch(/no tokenizer written: .*expected vocab\.json and merges\.txt/);
    },
  );

  test.each(["args", "cfg", "omegaconf"])("reads fairseq's settings from %s", async (name) => {
    const source = join(goldens, "fairseq", `${name}.pt`);
    const { parity } = await convertModel({ source, output: join(folder, "fairseq-read", name) });
    expect(parity.difference).toBe(0);
    expect(await bytesOf(join(folder, "fairseq-read", name))).toEqual(await bytesOf(join(goldens, "safetensors")));
  });

  test("half precision is close, and says how close", async () => {
    const { parity } = await convertModel({ source: tiny.start, output: join(folder, "half"), dtype: "float16" });
    expect(parity.difference).toBeGreaterThan(0);
    expect(parity.difference).toBeLessThan(0.01 * parity.largest);
  });

  test("a folder without weights, and weights without their settings, are named", async () => {
    await expect(convertModel({ source: tiny.data, output: folder })).rejects.toThrow(
      /data: expected model\.safetensors/,
    );
    await expect(convertModel({ source: join(goldens, "views.pt"), output: folder })).rejects.toThrow();
  });

  test("config.json names the class, as transformers wants it", () => {
    const config = JSON.parse(readFileSync(join(folder, "pytorch/config.json"), "utf8"));
    expect(config).toMatchObject({ architectures: ["BioGptForCausalLM"], model_type: "biogpt" });
  });
});
