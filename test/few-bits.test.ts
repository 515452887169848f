/** Matrices in groups of 4 and 8 bits: every family, every kind of graph, made at once or by `quantizeModel`. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cp, mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { openSafetensors, readFloat32, type TensorSource, writeSafetensors } from "../src/checkpoints/safetensors.ts";
import { groupedSources } from "../src/checkpoints/grouped.ts";
import { convertModel } from "../src/convert.ts";
import { quantizationLoss } from "../src/eval/quantization.ts";
import { evaluatePerplexity } from "../src/eval/perplexity.ts";
import { loadLikelihoods } from "../src/likelihoods.ts";
import { valueOf } from "../src/metrics/report.ts";
import { loadModel } from "../src/model.ts";
import { scoringGraph } from "../src/models/graphs.ts";
import type { Family, ModelConfig } from "../src/models/index.ts";
import { families } from "../src/models/registry.ts";
import { quantizeModel } from "../src/quantize.ts";
import { openModelFolder } from "../src/runtime/folder.ts";
import { allocateParameters, initialise } from "../src/runtime/parameters.ts";
import { random } from "../src/tensor/random.ts";
import { stdoutOf } from "./support/command-line.ts";
import { writeTinyTask } from "./support/tiny-task.ts";

const scratch = mkdtempSync(join(tmpdir(), "galen-few-bits-"));
afterAll(() => rmSync(scratch, { recursive: true }));

/** Norm of the difference over the norm of what is expected. */
function distance(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(actual.length).toBe(expected.length);
  const wanted = Array.from(expected);
  return Math.hypot(...wanted.map((x, i) => x - actual[i]!)) / Math.hypot(...wanted);
}

/** A model of random weights in the family's miniature, with a vocabulary of 96. */
async function writeMiniature(name: string, family: Family): Promise<string> {
  const folder = join(scratch, name);
  await mkdir(folder);
  const config: ModelConfig = { ...family.debug(Object.values(family.sizes)[0]!), vocab_size: 96, pad_token_id: 1 };
  const graph = scoringGraph(family, config);
  const parameters = allocateParameters(graph);
  initialise(graph, parameters, 5);
  for (const { data, dims } of parameters.tensors.values())
    if (dims.length > 1) data.forEach((x, i) => (data[i] = 4 * x));
  const json = { ...config, architectures: [family.architecture] };
  writeFileSync(join(folder, "config.json"), JSON.stringify(family.parseConfig(json, folder)));
  const tensors = [...parameters.tensors].map(([parameter, tensor]) => ({ name: parameter, ...tensor }));
  await writeSafetensors(join(folder, "model.safetensors"), tensors);
  return folder;
}

describe.each(Object.entries(families))("%s", (name, family) => {
  const numbers = random(7);
  const ids = [9, 6].map((length) => Array.from({ length }, () => numbers.integer(96)));
  let folder = "";

  test.each([4, 8] as const)("in %i bits computes what its rounded weights do", async (bits) => {
    folder ||= await writeMiniature(name, family);
    const output = join(scratch, `${name}-${bits}`);
    const { packed, bytes } = await quantizeModel({ source: folder, output, bits });
    expect(packed).toBeGreaterThan(4);
    expect(bytes.after).toBeLessThan((bits === 4 ? 0.3 : 0.45) * bytes.before);
    const logits = async (path: string, weights?: "float32" | "int4" | "int8-groups"): Promise<Float32Array> => {
      await using model = await loadModel(path, { threads: 1, weights });
      return (await model.forward({ ids })).logits.data;
    };
    const [stored, rounded, exact] = [await logits(output), await logits(output, "float32"), await logits(folder)];
    expect(distance(stored, rounded)).toBeLessThan(0.03);
    expect(distance(stored, rounded)).toBeGreaterThan(1e-5);
    expect(distance(rounded, exact)).toBeLessThan(bits === 4 ? 0.5 : 0.03);
    // Made as the model is opened: the very same.
    expect(await logits(folder, bits === 4 ? "int4" : "int8-groups")).toEqual(stored);
    if (family.cache === undefined) return;
    await using model = await loadModel(output, { threads: 1 });
    const options = { ids: ids[0]!, maxNewTokens: 1, eosTokenId: [] };
    const { logProbabilities } = await model.generate(options);
    await using wide = await loadModel(output, { threads: 1, weights: "float32" });
    expect(distance(logProbabilities[0]!, (await wide.generate(options)).logProbabilities[0]!)).toBeLessThan(0.03);
  });
});

describe("a tiny decoder", () => {
  let start = "";
  const folderOf = async (): Promise<string> => (start ||= (await writeTinyTask(join(scratch, "task"))).start);

  test("has its results whatever else is in the batch", async () => {
    await using model = await loadModel(await folderOf(), { threads: 1, weights: "int4" });
    const alone = (await model.forward({ ids: [[2, 17, 5, 38]] })).logits.data;
    const beside = (
      await model.forward({
        ids: [
          [2, 17, 5, 38],
          [2, 9, 33, 20],
          [2, 2, 2, 2],
        ],
      })
    ).logits.data;
    expect(beside.subarray(0, alone.length)).toEqual(alone);
  });

  test("scores likelihoods and perplexity in few bits, the head's too, and trains in float32", async () => {
    const source = await folderOf();
    const output = join(scratch, "task-4");
    await quantizeModel({ source, output, bits: 4 });
    const draw = random(3);
    const stream = {
      tokens: 90,
      read: (from: number, length: number): number[] => tokens.slice(from, from + length),
    };
    const tokens = Array.from({ length: 90 }, () => draw.integer(40));
    const perplexity = async (path: string, weights?: "float32"): Promise<number> =>
      valueOf(await evaluatePerplexity(path, { stream }, { threads: 1, weights }), "perplexity");
    const [packed, rounded] = [await perplexity(output), await perplexity(output, "float32")];
    expect(packed).not.toBe(rounded);
    expect(packed / rounded).toBeCloseTo(1, 2);
    const scores = async (weights?: "float32"): Promise<number[][]> => {
      await using likelihoods = await loadLikelihoods(output, { threads: 1, weights });
      return await likelihoods.logLikelihoods(["a drug"], [[" works", " fails"]]);
    };
    const [few, all] = [await scores(), await scores("float32")];
    expect(few).not.toEqual(all);
    expect(distance(few[0]!, all[0]!)).toBeLessThan(0.02);
    const labelled = { ids: [[2, 17, 5]], labels: [[2, 17, 5]] };
    await using model = await loadModel(output, { threads: 1 });
    const { gradients } = await model.lossAndGradients(labelled);
    const { entries } = await openModelFolder(output);
    expect([...gradients.keys()].sort()).toEqual([...entries.keys()].sort());
  });

  test("is opened in other few bits than it is stored in as its rounded weights are", async () => {
    const [source, stored, wide] = [await folderOf(), join(scratch, "task-8"), join(scratch, "task-8-wide")];
    await quantizeModel({ source, output: stored, bits: 8 });
    await convertModel({ source: stored, output: wide });
    const logits = async (path: string): Promise<Float32Array> => {
      await using model = await loadModel(path, { threads: 1, weights: "int4" });
      return (await model.forward({ ids: [[2, 17, 5, 38]] })).logits.data;
    };
    expect(await logits(stored)).toEqual(await logits(wide));
  });

  test("with shifted groups computes what its numbers do, in these bits and in others", async () => {
    const path = join(scratch, "shifted");
    await cp(join(scratch, "task-8"), path, { recursive: true });
    const { entries } = await openModelFolder(path);
    const tensors = await Promise.all(
      [...entries].map(async ([name, entry]): Promise<TensorSource[]> => {
        const { grouped } = entry;
        if (grouped === undefined)
          return [{ name, dtype: "float32", dims: entry.dims, data: await readFloat32(entry) }];
        const weight = await grouped.read();
        const shifts = weight.scales.map((scale, i) => (i % 3) * 4 * scale);
        return groupedSources(name, { dims: entry.dims, shifted: true }, grouped, async () => ({ ...weight, shifts }));
      }),
    );
    await writeSafetensors(join(path, "model.safetensors"), tensors.flat(), { inOrder: true });
    const logits = async (weights?: "float32" | "int4"): Promise<Float32Array> => {
      await using model = await loadModel(path, { threads: 1, weights });
      return (await model.forward({ ids: [[2, 17, 5, 38]] })).logits.data;
    };
    const rounded = await logits("float32");
    const plain = await loadModel(join(scratch, "task-8"), { weights: "float32" });
    expect(distance((await plain.forward({ ids: [[2, 17, 5, 38]] })).logits.data, rounded)).toBeGreaterThan(0.03);
    await plain.dispose();
    expect(distance(await logits(), rounded)).toBeLessThan(0.03);
    expect(distance(await logits("int4"), rounded)).toBeLessThan(0.6);
  });

  test("is converted back to float32, with the weights that its few bits stand for", async () => {
    const [source, output] = [join(scratch, "task-4"), join(scratch, "task-wide")];
    const { parity } = await convertModel({ source, output });
    expect(parity.difference / parity.largest).toBeLessThan(0.03);
    const { entries } = await openSafetensors(join(output, "model.safetensors"));
    const stored = (await openModelFolder(source)).entries;
    for (const [name, entry] of stored) expect(await readFloat32(entries.get(name)!)).toEqual(await readFloat32(entry));
    expect(JSON.parse(readFileSync(join(output, "config.json"), "utf8"))).not.toHaveProperty("quantization_config");
  });
});

describe("quantizeModel", () => {
  const options = { bits: 4 } as const;
  const sourceOf = async (): Promise<string> => {
    const folder = join(scratch, "biogpt");
    return existsSync(folder) ? folder : writeMiniature("biogpt", families["biogpt"]!);
  };

  test("gives the same bytes each time, with groups of 128 fewer of them", async () => {
    const source = await sourceOf();
    const made = async (name: string, group?: number): Promise<Buffer> => {
      const output = join(scratch, name);
      await quantizeModel({ source, output, ...options, group });
      return readFileSync(join(output, "model.safetensors"));
    };
    const first = await made("first");
    expect(await made("second")).toEqual(first);
    expect(await made("third", 32)).toEqual(first);
    const config = JSON.parse(readFileSync(join(scratch, "first/config.json"), "utf8"));
    expect(config.quantization_config).toEqual({ quant_method: "galen", bits: 4, group_size: 32 });
    // Rows of 32 and 64 numbers are no whole groups of 128: nothing is packed.
    const { packed } = await quantizeModel({ source, output: join(scratch, "wide"), ...options, group: 128 });
    expect(packed).toBe(0);
  });

  test("refuses a folder with something in it, few bits of few bits, and what is no number of bits", async () => {
    const source = await sourceOf();
    const output = join(scratch, "taken");
    await mkdir(output);
    writeFileSync(join(output, "mine.txt"), "");
    await expect(quantizeModel({ source, output, ...options })).rejects.toThrow(
      /expected a folder that does not exist, got one with mine.txt/,
    );
    expect(readdirSync(output)).toEqual(["mine.txt"]);
    await expect(quantizeModel({ source, output: source, ...options })).rejects.toThrow(/expected another place/);
    const few = join(scratch, "few");
    await quantizeModel({ source, output: few, ...options });
    await expect(quantizeModel({ source: few, output: join(scratch, "fewer"), ...options })).rejects.toThrow(
      /expected a model in float32 or half precision, got one in few bits/,
    );
    await expect(quantizeModel({ source, output: few, bits: 3 as 4 })).rejects.toThrow("bits: expected 4 or 8, got 3");
    await expect(quantizeModel({ source, output: few, ...options, group: 33 })).rejects.toThrow(
      "one of 32, 128, got 33",
    );
  });

  test("leaves nothing when it is stopped, or meets a weight that is not finite", async () => {
    const source = await sourceOf();
    const [output, stop] = [join(scratch, "stopped"), new AbortController()];
    const stopped = quantizeModel({ source, output, ...options, signal: stop.signal, onProgress: () => stop.abort() });
    await expect(stopped).rejects.toThrow(/abort/i);
    const broken = join(scratch, "broken");
    await cp(source, broken, { recursive: true });
    const bytes = readFileSync(join(broken, "model.safetensors"));
    const { entries } = await openSafetensors(join(source, "model.safetensors"));
    const { offset } = [...entries.values()].find(({ dims }) => dims.length === 2 && dims[0] === 96)!;
    bytes.fill(255, offset, offset + 4); // NaN
    writeFileSync(join(broken, "model.safetensors"), bytes);
    await expect(quantizeModel({ source: broken, output, ...options })).rejects.toThrow(
      /expected finite numbers, got NaN/,
    );
    await using model = await loadModel(broken, { weights: "int4" });
    await expect(model.forward({ ids: [[1, 2]] })).rejects.toThrow(/expected finite numbers, got NaN/);
    expect(readdirSync(scratch).filter((name) => name.startsWith("stopped"))).toEqual([]);
    writeFileSync(`${output}.0123abcd.tmp`, "");
    await quantizeModel({ source, output, ...options });
    expect(readdirSync(scratch).filter((name) => name.startsWith("stopped"))).toEqual(["stopped"]);
  });

  test("what it wrote is refused when its parts do not fit, and other libraries' by name", async () => {
    const output = join(scratch, "altered");
    await quantizeModel({ source: await sourceOf(), output, ...options });
    const path = join(output, "config.json");
    const config = JSON.parse(readFileSync(path, "utf8"));
    const withQuantization = (quantization_config: unknown): Promise<unknown> => {
      writeFileSync(path, JSON.stringify({ ...config, quantization_config }));
      return loadModel(output);
    };
    const own = config.quantization_config;
    await expect(withQuantization({ ...own, quant_method: "gptq" })).rejects.toThrow(/expected "galen", got "gptq"/);
    await expect(withQuantization({ ...own, bits: 5 })).rejects.toThrow(/quantization_config: bits/);
    await expect(withQuantization({ ...own, group_size: 48 })).rejects.toThrow(/power of two from 16/);
    await expect(withQuantization({ ...own, bits: 8 })).rejects.toThrow(/expected uint8 \[outputs, groups, 32\]/);
    await expect(withQuantization({ ...own, group_size: 64 })).rejects.toThrow(/got uint8 \[\d+, \d+, 16\]/);
    await expect(withQuantization(own)).resolves.toBeDefined();
  });
});

describe("the report", () => {
  test("says nothing is lost of the same model, and something in four bits", async () => {
    const source = await writeReportModel();
    const texts = ["A drug lowers the risk of a stroke.", "Mice were given the drug daily.", "x"];
    const same = await quantizationLoss(source, source, texts, { threads: 1 });
    expect(same.divergence).toBeCloseTo(0, 6);
    expect(same.agreement).toBe(1);
    expect(same.perplexity!.after).toBe(same.perplexity!.before);
    const output = join(scratch, "reported");
    await quantizeModel({ source, output, bits: 4 });
    const lost = await quantizationLoss(source, output, texts, { threads: 1 });
    expect(lost.texts).toBe(3);
    expect(lost.places).toBeGreaterThan(20);
    expect(lost.divergence).toBeGreaterThan(1e-5);
    expect(lost.agreement).toBeLessThanOrEqual(1);
    await expect(quantizationLoss(source, output, [])).rejects.toThrow(/expected some of two tokens or more, got none/);
  });

  test("the command writes, measures and says both", async () => {
    const source = await writeReportModel();
    const output = join(scratch, "commanded");
    const text = join(scratch, "held-out.txt");
    writeFileSync(text, "A drug lowers the risk of a stroke.\nMice were given the drug daily.\n");
    const told = await stdoutOf("quantize", source, "--bits", "8", "--output", output, "--text", text, "--json");
    const { bytes, memory, loss, packed } = JSON.parse(told);
    expect(packed).toBeGreaterThan(4);
    expect(bytes.after).toBeLessThan(bytes.before);
    expect(memory.after).toBeLessThan(memory.before);
    expect(loss).toMatchObject({ texts: expect.any(Number), perplexity: { before: expect.any(Number) } });
    const plain = await stdoutOf("quantize", source, "--bits", "8", "--output", `${output}-2`, "--no-report");
    expect(plain).toMatch(/size .* times smaller\)\nin memory/);
    expect(plain).not.toContain("perplexity");
    const forward = await stdoutOf("forward", "--model", output, "--ids", "2,9,33", "--json");
    expect(JSON.parse(forward).logits.dims[1]).toBe(3);
  });

  const writeReportModel = async (): Promise<string> =>
    (reported ||= (await writeTinyTask(join(scratch, "report"))).start);
  let reported = "";
});
