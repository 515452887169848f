/** Exported ONNX files in stock ONNX Runtime against `model.forward`. */
import { mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import onnxProto from "onnx-proto";
import { afterAll, describe, expect, test } from "vitest";
import { exportOnnx } from "./export.ts";
import { loadModel } from "./model.ts";
import { createSession } from "./runtime/session.ts";
import { tensor } from "./tensor/tensor.ts";

const temporary = mkdtempSync(join(tmpdir(), "galen-export-"));
afterAll(() => rmSync(temporary, { recursive: true }));

const ids = [
  [2, 9, 33, 40],
  [1, 2, 7, 5],
];
const mask = [
  [1, 1, 1, 1],
  [0, 1, 1, 1],
];

function integers(rows: number[][]): ReturnType<typeof tensor> {
  return tensor("int64", [rows.length, rows[0]!.length], BigInt64Array.from(rows.flat().map(BigInt)));
}

function golden(path: string): string {
  return fileURLToPath(new URL(`../test/goldens/${path}`, import.meta.url));
}

async function expectSameLogits(path: string, folder: string): Promise<void> {
  await using model = await loadModel(folder, { threads: 1 });
  const expected = (await model.forward({ ids, mask })).logits;
  await using session = await createSession(path, { threads: 1 });
  const inputs: Record<string, ReturnType<typeof tensor>> = { ids: integers(ids), mask: integers(mask) };
  if (session.inputNames.includes("types")) inputs["types"] = integers(ids.map((row) => row.map(() => 0)));
  const logits = (await session.run(inputs))["logits"]!;
  expect(logits.dims).toEqual(expected.dims);
  const width = logits.dims[2]!;
  for (let i = 0; i < logits.data.length; i++) {
    if (mask.flat()[Math.floor(i / width)] === 0) continue;
    expect(Number(logits.data[i])).toBeCloseTo(expected.data[i]!, 4);
  }
}

describe("export to ONNX", () => {
  test.each([
    ["inline", false],
    ["inline", true],
    ["external", false],
    ["external", true],
  ] as const)("weights %s, portable %s: the logits of model.forward", async (weights, portable) => {
    const folder = golden("biogpt/model");
    const path = join(temporary, `${weights}-${portable}.onnx`);
    const exported = await exportOnnx(folder, path, { weights, portable });
    expect(exported.data !== undefined).toBe(weights === "external");
    await expectSameLogits(path, folder);
  });

  test("a BERT with its types", async () => {
    const path = join(temporary, "bert.onnx");
    const exported = await exportOnnx(golden("bert/hash"), path);
    expect(exported.inputs).toEqual(["ids", "mask", "types"]);
    await expectSameLogits(path, golden("bert/hash"));
  });

  test("portable files use operators of the ONNX standard only", async () => {
    const domains = async (portable: boolean): Promise<Set<string>> => {
      const path = join(temporary, "domains.onnx");
      await exportOnnx(golden("biogpt/model"), path, { portable });
      const nodes = onnxProto.onnx.ModelProto.decode(readFileSync(path)).graph!.node!;
      return new Set(nodes.map((node) => node.domain ?? ""));
    };
    expect(await domains(true)).toEqual(new Set([""]));
    expect(await domains(false)).toContain("com.microsoft");
  });

  test("external weights are found beside the file, wherever both are moved", async () => {
    const folder = golden("biogpt/model");
    await exportOnnx(folder, join(temporary, "moved.onnx"), { weights: "external" });
    const elsewhere = mkdtempSync(join(temporary, "elsewhere-"));
    for (const name of ["moved.onnx", "moved.onnx.data"]) renameSync(join(temporary, name), join(elsewhere, name));
    await expectSameLogits(join(elsewhere, "moved.onnx"), folder);
  });
});
