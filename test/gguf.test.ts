/**
 * GGUF both ways: the very files that llama.cpp has run (scripts/goldens/gguf.py), and models that come back from them
 * as they were.
 */
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { readFloat32 } from "../src/checkpoints/entries.ts";
import { convertModel, type NumberType } from "../src/convert.ts";
import { toOnnx } from "../src/graph/lower.ts";
import { onnxType } from "../src/graph/onnx.ts";
import type { OnnxBuilder, PackedWeight } from "../src/graph/onnx-builder.ts";
import { weightsOf } from "../src/graph/weights/layers.ts";
import { loadModel } from "../src/model.ts";
import { scoringGraph } from "../src/models/index.ts";
import { makeBatch } from "../src/runtime/batch.ts";
import { openModelFolder } from "../src/runtime/folder.ts";
import { readParameters } from "../src/runtime/parameters.ts";
import { createSession } from "../src/runtime/session.ts";
import { transposed } from "../src/tensor/grouped.ts";
import { loadTokenizer } from "../src/tokenizers/files.ts";
import { tinyTexts, writeTinyLlama } from "./support/tiny-llama.ts";

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

const farthest = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);

/** Logits where what weights in float16 are multiplied with is rounded to float16 first: llama.cpp's arithmetic. */
async function rounded(path: string, ids: readonly number[], type: NumberType): Promise<Float32Array> {
  const { family, config, entries } = await openModelFolder(path);
  const graph = scoringGraph(family, config);
  const packed = new Map<string, PackedWeight>();
  for (const { name, outputs, width } of weightsOf(graph)) {
    const numbers = await readFloat32(entries.get(name)!);
    const turned = transposed(numbers, outputs, width);
    const round = (onnx: OnnxBuilder, x: string): string =>
      onnx.node("Cast", [onnx.node("Cast", [x], { to: onnxType.float16 })], { to: onnxType.float32 });
    packed.set(name, {
      multiply(onnx, x, bias, output) {
        const weight = onnx.constant("float32", [width, outputs], turned);
        const inputs = [type === "f16" ? round(onnx, x) : x, weight];
        if (bias === undefined) return onnx.node("MatMul", inputs, {}, output);
        return onnx.node("Add", [onnx.node("MatMul", inputs), bias], {}, output);
      },
    });
  }
  const parameters = await readParameters(graph, entries, path);
  await using session = await createSession(toOnnx(graph, { packed }), { threads: 1 });
  const { tensors } = makeBatch({ ids: [ids] }, config);
  const { logits } = await session.run({ ...tensors, ...Object.fromEntries(parameters.tensors) });
  return logits!.data as Float32Array;
}

describe.each(cases)("$name in $type", ({ name, type, sha256, ids, logits, greedy }) => {
  const path = join(folder, `${name}-${type}.gguf`);

  test("is written as the file that llama.cpp has run, and read to the same logits and ids", async () => {
    const { parity } = await convertModel({ source: `${goldens}/llama/${name}/model`, output: path, type });
    if (type === "f32") expect(parity.difference).toBe(0);
    expect(createHash("sha256").update(readFileSync(path)).digest("hex")).toBe(sha256);
    await using model = await loadModel(path, { threads: 1 });
    const found = (await model.forward({ ids: [ids] })).logits.data;
    // Where weights are float16, llama.cpp rounds what it multiplies them with to float16 as well; logits reach 6.
    expect(farthest(found, logits)).toBeLessThan(type === "f32" ? 2e-4 : 2e-2);
    // With the same rounding half of them are equal to the goldens' decimals; in the others a number that lies between two
    // of float16's fell to the other side.
    expect(farthest(await rounded(path, ids, type), logits)).toBeLessThan(type === "f32" ? 2e-4 : 5e-3);
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

describe("a model with its tokenizer", async () => {
  const source = join(folder, "source");
  const texts = tinyTexts;
  const tokenizer = await writeTinyLlama(source);

  test.each([
    ["q8_0", 0.02],
    ["q4_0", 0.3],
  ] as const)("in %s states what it loses, and comes back with both", async (type, most) => {
    const [path, back] = [join(folder, `${type}.gguf`), join(folder, type)];
    const { parity, tokenizer: written } = await convertModel({ source, output: path, type });
    expect(written).toBe(true);
    expect(parity.relative).toBeGreaterThan(0);
    expect(parity.relative).toBeLessThan(most);
    expect((await convertModel({ source: path, output: back })).parity.difference).toBe(0);
    for (const place of [path, back]) {
      const found = await loadTokenizer(place);
      for (const text of [...texts, "Unseen words 1234567 <s>"]) {
        expect(found.encodeIds(text)).toEqual(tokenizer.encodeIds(text));
      }
    }
    // In the bits that the file has, where products round what they multiply to eight bits, and widened.
    await using few = await loadModel(path);
    await using wide = await loadModel(path, { weights: "float32" });
    const ids = [tokenizer.encodeIds(texts[0]!)];
    const [a, b] = [(await few.forward({ ids })).logits.data, (await wide.forward({ ids })).logits.data];
    const square = (sum: number, x: number): number => sum + x * x;
    const off = a.map((value, i) => value - b[i]!).reduce(square, 0) / b.reduce(square, 0);
    expect(Math.sqrt(off)).toBeLessThan(0.02);
  });

  test("is converted to neither a file that is there nor a folder that is in use", async () => {
    const [path, place] = [join(folder, "there.gguf"), join(folder, "there")];
    writeFileSync(path, "x");
    mkdirSync(place);
    writeFileSync(join(place, "x"), "x");
    await expect(convertModel({ source, output: path })).rejects.toThrow(
      /expected a file that does not exist, got one/,
    );
    await expect(convertModel({ source, output: place })).rejects.toThrow(
      /expected a folder that does not exist, got one with x/,
    );
    expect(readFileSync(path, "utf8")).toBe("x");
    await expect(convertModel({ source, output: place, to: "gguf" })).rejects.toThrow(
      /expected a file ending in \.gguf/,
    );
    await expect(convertModel({ source, output: path, type: "q4_0", to: "safetensors" })).rejects.toThrow(
      /type: expected one of f32, f16, bf16/,
    );
  });
});

test("what a GGUF file may not be is said", async () => {
  const bytes = readFileSync(join(folder, "llama-f32.gguf"));
  const refused = async (change: (copy: Buffer) => Buffer | void, message: RegExp): Promise<void> => {
    const path = join(folder, "refused.gguf");
    const copy = Buffer.from(bytes);
    writeFileSync(path, change(copy) ?? copy);
    await expect(loadModel(path)).rejects.toThrow(message);
  };
  await refused((copy) => void copy.write("GGML"), /expected a GGUF file, which begins with "GGUF", got "GGML"/);
  await refused((copy) => void copy.writeUInt32LE(1, 4), /expected GGUF version 2 or 3, got 1/);
  await refused((copy) => void copy.writeUInt32BE(3, 4), /got a big-endian file/);
  await refused((copy) => void copy.writeBigUInt64LE(1n << 40n, 8), /expected at most 1048576 tensors/);
  await refused((copy) => copy.subarray(0, copy.length - 64), /expected \d+ bytes at \d+, got a file of/);
  const at = bytes.indexOf("llama", 0);
  await refused((copy) => void copy.write("lemma", at), /expected gguf's checkpoint of .*llama.*, got lemma/);
  const type = bytes.indexOf("token_embd.weight") + 17 + 4 + 16;
  await refused(
    (copy) => void copy.writeUInt32LE(10, type),
    /"token_embd\.weight": expected a type of .*Q4_0.*, got Q2_K/,
  );
});
