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
