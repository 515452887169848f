/** Meta's checkpoints (scripts/goldens/meta.py) and llama2.c's, read as what transformers and llama2.c have. */
import { cpSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { convertModel } from "../src/convert.ts";
import { loadModel } from "../src/model.ts";
import { hasShared, shared } from "./support/shared.ts";

const goldens = fileURLToPath(new URL("goldens/meta", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "galen-meta-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe.each(["two", "three"])("heads in several files: %s", (name) => {
  const { ids, logits } = JSON.parse(readFileSync(`${goldens}/${name}/goldens.json`, "utf8"));

  test("gives transformers' logits, as it is and converted", async () => {
    const output = join(folder, name);
    const { parity } = await convertModel({ source: `${goldens}/${name}`, output });
    expect(parity.difference).toBe(0);
    for (const path of [`${goldens}/${name}`, output]) {
      await using model = await loadModel(path, { threads: 1 });
      const found = (await model.forward({ ids })).logits.data;
      expect(found.length).toBe(logits.length);
      found.forEach((value, i) => expect(Math.abs(value - logits[i])).toBeLessThan(1e-4));
    }
  });
});

describe("what is wrong is named", () => {
  const damaged = (name: string, damage: (folder: string) => void): string => {
    const copy = join(folder, name);
    cpSync(`${goldens}/two`, copy, { recursive: true });
    damage(copy);
    return copy;
  };
  const params = (change: object) => (copy: string) => {
    const path = join(copy, "params.json");
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, "utf8")), ...change }));
  };
  test.each([
    [
      "no params.json",
      (copy: string) => rmSync(join(copy, "params.json")),
      /params\.json: expected beside consolidated/,
    ],
    ["a missing part", (copy: string) => rmSync(join(copy, "consolidated.01.pth")), /dim: expected 16, .*got 32/],
    ["other key heads", params({ n_kv_heads: 4 }), /n_kv_heads: expected 2, as the tensors have, got 4/],
    ["no heads", params({ n_heads: undefined }), /n_heads: expected a positive number, got undefined/],
    [
      "parts of another model",
      (copy: string) => cpSync(`${goldens}/three/consolidated.01.pth`, join(copy, "consolidated.01.pth")),
      /expected bfloat16 \[60, 16\]/,
    ],
  ])("%s", async (name, damage, message) => {
    await expect(loadModel(damaged(name, damage))).rejects.toThrow(message);
  });
});

describe("llama2.c's files in eight bits (scripts/goldens/llama2c.py)", () => {
  const { cases } = JSON.parse(readFileSync(`${goldens}/llama2c/goldens.json`, "utf8")) as {
    cases: { name: string; ids: number[]; logits: number[] }[];
  };

  test.each(cases)("$name: gives run.c's logits, and is converted", async ({ name, ids, logits }) => {
    const source = `${goldens}/llama2c/${name}.bin`;
    await using model = await loadModel(source, { threads: 1, weights: "float32" });
    const { data } = (await model.forward({ ids: [ids] })).logits;
    expect(Math.max(...logits.map((value, i) => Math.abs(value - data[i]!)))).toBeLessThan(1e-4);
    await using few = await loadModel(source, { threads: 1 });
    const rounded = (await few.forward({ ids: [ids] })).logits.data;
    // What is multiplied with eight bits is rounded to eight bits too.
    expect(Math.hypot(...logits.map((value, i) => value - rounded[i]!)) / Math.hypot(...logits)).toBeLessThan(0.03);
    const { parity } = await convertModel({ source, output: join(folder, `eight-${name}`) });
    expect(parity.difference).toBe(0);
  });

  test.each([
    [4, 3, "version 0, 1 or 2 of llama2.c's files, got 3"],
    [37, 0, "a group size that all matrices are multiples of, got 0"],
    [37, 7, "a group size that all matrices are multiples of, got 7"],
    [37, 32, "19040 bytes, as its header says, got 21056"],
    [36, 0, "22016 bytes, as its header says, got 21056"],
  ])("with byte %i as %i are refused: %s", async (at, value, message) => {
    const bytes = readFileSync(`${goldens}/llama2c/shared.bin`);
    if (at === 36) bytes.writeUInt8(value, at);
    else bytes.writeInt32LE(value, at);
    const path = join(folder, "changed.bin");
    writeFileSync(path, bytes);
    await expect(loadModel(path)).rejects.toThrow(`expected ${message}`);
  });
});

describe.skipIf(!hasShared("data/weights/stories260K"))("stories260K, a model of llama2.c's", () => {
  const source = shared("data/weights/stories260K/stories260K.bin");

  test("continues <s> as run.c, transformers and llama.cpp do, from its file, our directory and our GGUF", async () => {
    const { stories } = JSON.parse(readFileSync(`${goldens}/stories.json`, "utf8")) as { stories: number[] };
    const [directory, gguf] = [join(folder, "stories"), join(folder, "stories.gguf")];
    await convertModel({ source, output: directory });
    const { parity } = await convertModel({ source: directory, output: gguf, type: "f32" });
    expect(parity.difference).toBe(0);
    for (const path of [source, directory, gguf]) {
      await using model = await loadModel(path);
      const options = { ids: [[1]], maxNewTokens: stories.length - 1, eosTokenId: 1 };
      expect((await model.generate(options)).sequences).toEqual([stories]);
    }
  });

  test("a file that is cut short is refused", async () => {
    const path = join(folder, "short.bin");
    cpSync(source, path);
    truncateSync(path, 1_000_000);
    await expect(loadModel(path)).rejects.toThrow(
      /short\.bin: expected 1056540 bytes, as its header says, got 1000000/,
    );
  });
});
