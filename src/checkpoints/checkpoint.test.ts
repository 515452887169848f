import { createHash } from "node:crypto";
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CheckpointError } from "../errors.ts";
import { byteSize } from "../tensor/tensor.ts";
import { averageCheckpoints } from "./average.ts";
import { openCheckpoint, saveSharded } from "./checkpoint.ts";
import { toFloat32 } from "./floats.ts";
import { openTorchFile } from "./torch-file.ts";
import { readFloat32, readTensor, type TensorEntry } from "./safetensors.ts";

const goldens = join(import.meta.dirname, "../../test/goldens/checkpoints");
type Described = Record<string, { dims: number[]; sha256: string }>;
const manifest = JSON.parse(await readFile(join(goldens, "manifest.json"), "utf8")) as Record<
  "tensors" | "fp16" | "bf16" | "average" | "views",
  Described
>;

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "galen-checkpoints-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The weights as the goldens name them: without fairseq's prefix, and without what repeats the embedding. */
function modelOf(stored: ReadonlyMap<string, TensorEntry>): Map<string, TensorEntry> {
  const named = [...stored].flatMap(([name, entry]) => {
    if (/^decoder\.version$|output_projection\.weight$/.test(name)) return [];
    const own = name.replace(/^decoder\./, "biogpt.");
    return [[own, { ...entry, name: own }] as const];
  });
  return new Map(named);
}

/** Every tensor as the goldens describe it. */
async function describeAll(entries: Map<string, TensorEntry>): Promise<Described> {
  const all: Described = {};
  for (const [name, entry] of [...entries].sort(([a], [b]) => (a < b ? -1 : 1))) {
    expect(entry.name).toBe(name);
    const { dtype, data } = await readTensor(entry);
    const isFloat = dtype.includes("float");
    const values = isFloat ? await readFloat32(entry) : Float32Array.from(data as Int32Array, Number);
    if (isFloat)
      expect(
        Buffer.from(toFloat32(dtype as "float32", data as Float32Array).buffer).equals(Buffer.from(values.buffer)),
      ).toBe(true);
    all[name] = { dims: [...entry.dims], sha256: createHash("sha256").update(values).digest("hex") };
  }
  return all;
}

describe("openCheckpoint gives the weights bit for bit", () => {
  const cases = [
    ["safetensors", "safetensors", "tensors"],
    ["sharded safetensors", "sharded-safetensors", "tensors"],
    ["float16 safetensors", "fp16", "fp16"],
    ["bfloat16 safetensors", "bf16", "bf16"],
    ["a torch zip file", "bin", "tensors"],
    ["a legacy torch file", "legacy", "tensors"],
    ["sharded torch files", "sharded-bin", "tensors"],
    ["a fairseq file with a plain cfg", "fairseq/cfg.pt", "tensors"],
    ["a legacy fairseq file with a namespace", "fairseq/args.pt", "tensors"],
    ["a fairseq file with pickled omegaconf", "fairseq/omegaconf.pt", "tensors"],
  ] as const;
  it.each(cases)("of %s", async (_, path, key) => {
    expect(await describeAll(modelOf(await openCheckpoint(join(goldens, path))))).toEqual(manifest[key]);
  });

  it.each(["bin", "legacy", "fairseq/cfg.pt"])("and says where they lie, in %s", async (path) => {
    for (const entry of (await openCheckpoint(join(goldens, path))).values()) {
      expect(entry.layout).toBeUndefined();
      const bytes = (await readFile(entry.file)).subarray(entry.offset, entry.offset + entry.byteLength);
      const { data } = await readTensor(entry);
      expect(Buffer.from(data.buffer).equals(bytes)).toBe(true);
      if (path !== "legacy") expect(entry.offset % 64).toBe(0);
    }
  });
});

describe("openTorchFile", () => {
  it.each(["views.pt", "views-legacy.pt", "views-big-endian.pt"])(
    "reads views, shared storages and every dtype of %s",
    async (name) => {
      const { tensors } = await openTorchFile(join(goldens, name));
      expect(await describeAll(tensors)).toEqual(Object.fromEntries(Object.entries(manifest.views).sort()));
      const big = name.includes("big");
      expect(tensors.get("tied")!.offset).toBe(tensors.get("plain")!.offset);
      expect(tensors.get("transposed")!.layout).toEqual({ strides: [1, 6], bigEndian: big });
      expect(tensors.get("plain")!.layout?.bigEndian ?? false).toBe(big);
      expect(tensors.get("byte")!.layout).toBeUndefined();
      const dtypes = new Set([...tensors.values()].map(({ dtype }) => dtype));
      expect(dtypes).toEqual(new Set(Object.keys(byteSize)));
    },
  );

  it("refuses the settings of a fairseq file when strict", async () => {
    await expect(openTorchFile(join(goldens, "fairseq/args.pt"))).rejects.toThrow(
      /refused global "argparse.Namespace"/,
    );
  });

  it("says what a Git LFS pointer is", async () => {
    const path = join(folder, "pointer.bin");
    await writeFile(path, "version https://git-lfs.github.com/spec/v1\noid sha256:0\n");
    await expect(openTorchFile(path)).rejects.toThrow(/git lfs pull/);
  });
});

describe("averageCheckpoints", () => {
  const paths = [1, 2, 3].map((number) => join(goldens, `average/checkpoint${number}.pt`));

  it("gives fairseq's mean of float16 checkpoints bit for bit", async () => {
    const target = join(folder, "mean", "model.safetensors");
    await averageCheckpoints(paths, target);
    expect(await describeAll(modelOf(await openCheckpoint(join(folder, "mean"))))).toEqual(manifest.average);
  });

  it("refuses checkpoints of different models and none at all", async () => {
    const target = join(folder, "none.safetensors");
    await expect(averageCheckpoints([...paths, join(goldens, "views.pt")], target)).rejects.toThrow(
      /views.pt: tensor "decoder.embed_tokens.weight": expected float16 \[40, 16\], got none/,
    );
    await expect(averageCheckpoints([join(goldens, "safetensors"), join(goldens, "bin")], target)).rejects.toThrow(
      /bin: expected 36 tensors as in .*, got 37/,
    );
    await expect(averageCheckpoints([], target)).rejects.toThrow(CheckpointError);
  });
});

describe("checkpoint folders", () => {
  it("are saved in shards as Hugging Face names and fills them, and read back", async () => {
    const target = join(folder, "sharded");
    const reference = await openCheckpoint(join(goldens, "sharded-safetensors"));
    const sources = [...(await openCheckpoint(join(goldens, "bin"))).values()]
      .filter(({ name }) => reference.has(name))
      .map((entry) => ({ ...entry, data: () => readFloat32(entry) }));
    await saveSharded(target, sources, { maxShardBytes: 8000 });
    const golden = await readFile(join(goldens, "sharded-safetensors/model.safetensors.index.json"), "utf8");
    const index = JSON.parse(await readFile(join(target, "model.safetensors.index.json"), "utf8")) as {
      weight_map: object;
    };
    expect(index.weight_map).toEqual((JSON.parse(golden) as { weight_map: object }).weight_map);
    const shard = "model-00002-of-00003.safetensors";
    expect(
      (await readFile(join(target, shard))).equals(await readFile(join(goldens, "sharded-safetensors", shard))),
    ).toBe(true);
    expect(await describeAll(await openCheckpoint(target))).toEqual(manifest.tensors);

    await saveSharded(target, sources, { dtype: "bfloat16" });
    expect(await readdir(target)).toEqual(["model.safetensors"]);
    expect(await describeAll(await openCheckpoint(target))).toEqual(manifest.bf16);
  });

  it("with a missing shard are refused by its name", async () => {
    const target = join(folder, "missing");
    await cp(join(goldens, "sharded-bin"), target, { recursive: true });
    await rm(join(target, "pytorch_model-00002-of-00003.bin"));
    await expect(openCheckpoint(target)).rejects.toThrow(
      /expected the shards pytorch_model-00002-of-00003.bin, got none/,
    );
  });

  it.each([
    [`{"weight_map":{"x":"../../etc/model.safetensors"}}`, /expected a file of this folder, got "..\/../],
    [`{"weight_map":{"x":"/etc/model.safetensors"}}`, /expected a file of this folder/],
    [`{"weight_map":{"x":"..\\\\model.safetensors"}}`, /expected a file of this folder/],
    [`{"weight_map":{"x":"parts/../../model.safetensors"}}`, /expected a file of this folder/],
    [`{"weight_map":{"x":"C:\\\\model.safetensors"}}`, /expected a file of this folder/],
    [`{"weight_map":{"x":"a\\u0000b"}}`, /expected a file of this folder/],
    [`{"weight_map":{"x":""}}`, /expected a file of this folder/],
    [`{"weight_map":{"__proto__":"model.safetensors"}}`, /reserved/],
    [`{"weight_map":{"x":1}}`, /expected a file of this folder, got 1/],
    [`{"weight_map":[]}`, /expected an object weight_map/],
    [`{"weight_map":{"x":"model.safetensors","x":"model.safetensors"}}`, /distinct names/],
    ["[]", /expected an object weight_map/],
    ["{", /expected JSON/],
  ])("with the index %s are refused", async (index, message) => {
    const target = join(folder, "index");
    await rm(target, { recursive: true, force: true });
    await cp(join(goldens, "safetensors"), target, { recursive: true });
    await rm(join(target, "model.safetensors"));
    await writeFile(join(target, "model.safetensors.index.json"), index);
    await expect(openCheckpoint(target)).rejects.toThrow(message);
    await expect(openCheckpoint(target)).rejects.toBeInstanceOf(CheckpointError);
  });

  it("may have shards of any name, in folders inside", async () => {
    const target = join(folder, "named");
    await cp(join(goldens, "sharded-safetensors"), target, { recursive: true });
    const path = join(target, "model.safetensors.index.json");
    const index = JSON.parse(await readFile(path, "utf8")) as { weight_map: Record<string, string> };
    const names = new Map(
      [...new Set(Object.values(index.weight_map))].map((name, i) => [name, `parts/weights of ${i} (α)`]),
    );
    await mkdir(join(target, "parts"));
    for (const [from, to] of names) await rename(join(target, from), join(target, to));
    const weightMap = Object.fromEntries(
      Object.entries(index.weight_map).map(([name, shard]) => [name, names.get(shard)!]),
    );
    await writeFile(path, JSON.stringify({ weight_map: weightMap }));
    expect(await describeAll(await openCheckpoint(target))).toEqual(manifest.tensors);
    await rm(join(target, "parts/weights of 1 (α)"));
    await expect(openCheckpoint(target)).rejects.toThrow(/expected the shards parts\/weights of 1 \(α\), got none/);
  });

  it("without a checkpoint are refused, as are several fairseq files", async () => {
    await expect(openCheckpoint(join(goldens, "average"))).rejects.toThrow(/got checkpoint1.pt, checkpoint2.pt/);
    await expect(openCheckpoint(join(goldens, "fairseq"))).rejects.toThrow(/got none/);
    await expect(openCheckpoint(join(goldens, "nowhere"))).rejects.toThrow(/no such file/);
  });
});
