/**
 * GGUF both ways: the very files that llama.cpp has run (scripts/goldens/gguf.py), and models that come back from them
 * as they were.
 */
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { readFloat32 } from "../src/checkpoints/entries.ts";
import { convertModel, type NumberType } from "../src/convert.ts";
import { loadModel } from "../src/model.ts";
import { openModelFolder } from "../src/runtime/folder.ts";

const goldens = fileURLToPath(new URL("goldens", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "galen-gguf-"));
afterAll(() => rmSync(folder, { recursive: true }));

interface Case {
  readonly name: string;
  readonly type: NumberType;
  readonly sha256: string;
  readonly ids: number[];
  readonly logits: number[];
  readonly greedy: number[];
}
const { cases } = JSON.parse(readFileSync(`${goldens}/gguf/llama-cpp.json`, "utf8")) as { cases: Case[] };

describe.each(cases)("$name in $type", ({ name, type, sha256, ids, logits, greedy }) => {
  const path = join(folder, `${name}-${type}.gguf`);

  test("is written as the file that llama.cpp has run, and read to the same logits and ids", async () => {
    const { parity } = await convertModel({ source: `${goldens}/llama/${name}/model`, output: path, type });
    if (type === "f32") expect(parity.difference).toBe(0);
    expect(createHash("sha256").update(readFileSync(path)).digest("hex")).toBe(sha256);
    await using model = await loadModel(path, { threads: 1 });
    const found = (await model.forward({ ids: [ids] })).logits.data;
    // Where weights are float16, llama.cpp rounds what it multiplies them with as well; logits reach 6.
    const off = found.map((value, i) => Math.abs(value - logits[i]!));
    expect(Math.max(...off)).toBeLessThan(type === "f32" ? 2e-4 : 2e-2);
    const { sequences } = await model.generate({ ids: [greedy.slice(0, 3)], maxNewTokens: 9, eosTokenId: 2 });
    expect(sequences).toEqual([greedy]);
  });

  test.runIf(type === "f32")("comes back from it with every weight", async () => {
    const back = join(folder, `${name}-back`);
    expect((await convertModel({ source: path, output: back })).parity.difference).toBe(0);
    const [before, after] = [await openModelFolder(`${goldens}/llama/${name}/model`), await openModelFolder(back)];
    expect([...after.entries.keys()].sort()).toEqual([...before.entries.keys()].sort());
    for (const [parameter, entry] of before.entries) {
      expect(await readFloat32(after.entries.get(parameter)!), parameter).toEqual(await readFloat32(entry));
    }
  });
});
