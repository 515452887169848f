import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { writeTinyTask } from "../test/support/tiny-task.ts";
import { openCheckpoint } from "./checkpoints/checkpoint.ts";
import { readTensor } from "./checkpoints/entries.ts";
import { parseArguments } from "./cli/arguments.ts";
import convert from "./cli/commands/convert.ts";
import { convertModel, type ModelFormat } from "./convert.ts";
import { loadModel } from "./model.ts";
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
    async (to: ModelFormat) => {
      const there = join(folder, to);
      const { parity, tokenizer, notes } = await convertModel({ source: tiny.start, output: there, to });
      expect({ parity: parity.difference, tokenizer, notes }).toEqual({ parity: 0, tokenizer: true, notes: [] });
      const back = join(folder, `${to}-back`);
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
    const output = join(folder, "fairseq-read", name);
    const { parity, notes } = await convertModel({ source, output });
    expect(parity.difference).toBe(0);
    expect(await bytesOf(output)).toEqual(await bytesOf(join(goldens, "safetensors")));
    expect(notes[0]).toBe("output_projection.weight dropped: it is a second copy of biogpt.embed_tokens.weight");
    const [expected, config] = [join(goldens, "safetensors"), output].map(
      (path) => JSON.parse(readFileSync(join(path, "config.json"), "utf8")) as object,
    );
    expect({ ...expected, ...config }).toEqual({ ...expected, layer_norm_eps: 1e-5 });
  });

  test("half precision is close, and says how close", async () => {
    const { parity } = await convertModel({ source: tiny.start, output: join(folder, "half"), type: "f16" });
    expect(parity.difference).toBeGreaterThan(0);
    expect(parity.difference).toBeLessThan(0.01 * parity.largest);
  });

  test("a head that differs from its embedding is kept as one of its own, there and back", async () => {
    const source = join(goldens, "fairseq/untied.pt");
    const output = join(folder, "untied");
    const { parity, notes } = await convertModel({ source, output });
    expect(parity.difference).toBe(0);
    expect(notes[0]).toMatch(/^output_projection\.weight is a head of its own/);
    expect(JSON.parse(readFileSync(join(output, "config.json"), "utf8"))).toMatchObject({ tie_word_embeddings: false });
    const back = join(folder, "untied-fairseq");
    expect((await convertModel({ source: output, output: back, to: "fairseq" })).parity.difference).toBe(0);
    expect((await openCheckpoint(back)).has("decoder.output_projection.weight")).toBe(true);
  });

  test("a folder without weights, weights without their settings, and other tensors are named", async () => {
    await expect(convertModel({ source: tiny.data, output: folder })).rejects.toThrow(
      /config\.json: expected a model directory with this file/,
    );
    const alone = join(folder, "alone.safetensors");
    copyFileSync(join(goldens, "safetensors/model.safetensors"), alone);
    await expect(convertModel({ source: alone, output: folder })).rejects.toThrow(
      /config\.json: expected beside the weights, got none/,
    );
    await expect(convertModel({ source: join(goldens, "views.pt"), output: folder })).rejects.toThrow(
      /views\.pt: expected fairseq's checkpoint of biogpt, got other tensors: /,
    );
  });

  test("a family without the format is named, with the formats that it has", async () => {
    const source = fileURLToPath(new URL("../test/goldens/bert/masked", import.meta.url));
    await expect(convertModel({ source, output: join(folder, "none"), to: "fairseq" })).rejects.toThrow(
      /to: expected a format that bert has besides its own \(gguf\), got fairseq/,
    );
  });

  test("a checkpoint of another library is a model's weights beside a config.json as well", async () => {
    const source = join(folder, "beside");
    mkdirSync(source);
    copyFileSync(join(goldens, "safetensors/config.json"), join(source, "config.json"));
    copyFileSync(join(goldens, "fairseq/cfg.pt"), join(source, "checkpoint.pt"));
    await using model = await loadModel(source);
    await using expected = await loadModel(join(goldens, "safetensors"));
    const ids = [[2, 5, 7, 9]];
    expect((await model.forward({ ids })).logits.data).toEqual((await expected.forward({ ids })).logits.data);
  });

  test("config.json names the class, as transformers wants it", () => {
    const config = JSON.parse(readFileSync(join(folder, "pytorch/config.json"), "utf8"));
    expect(config).toMatchObject({ architectures: ["BioGptForCausalLM"], model_type: "biogpt" });
  });
});

test.each([
  ["--format", "--to"],
  ["--dtype", "--type"],
])("the option %s is said to be %s now", (before, now) => {
  expect(() => parseArguments(["x", "--output", "y", before, "z"], convert)).toThrow(
    `${before}: unknown option\nHint: it is called ${now} now`,
  );
});
