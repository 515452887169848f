/** A decoder's directory against what transformers computed with it (scripts/goldens/decoders.py). */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { openSafetensors, readFloat32 } from "../../src/checkpoints/safetensors.ts";
import { decodingGraph } from "../../src/models/graphs.ts";
import { loadModel } from "../../src/model.ts";
import { int64 } from "../../src/runtime/batch.ts";
import { openModelFolder } from "../../src/runtime/folder.ts";
import { openInMemory } from "../../src/runtime/in-memory.ts";
import { readParameters } from "../../src/runtime/parameters.ts";
import type { Tensors } from "../../src/runtime/session.ts";
import { type Tensor, tensor } from "../../src/tensor/tensor.ts";
import { expectGradients, expectLogits, expectTenSteps, type HeadGolden, largestDifference } from "./goldens.ts";

interface DecoderGolden extends HeadGolden {
  readonly labels: number[][];
  readonly ids: number[][];
  readonly left: number[][];
  readonly right: number[][];
  readonly generate: readonly {
    readonly options: { readonly max_new_tokens: number; readonly num_beams?: number };
    readonly prompt: number[];
    readonly sequences: number[][];
  }[];
}

/** The tests of FOLDER: logits, loss, gradients, generated ids, a cache filled by parts, steps of AdamW where it has some. */
export function decoderEquals(folder: string): void {
  const goldens = JSON.parse(readFileSync(`${folder}/goldens.json`, "utf8")) as DecoderGolden;
  const { ids, right } = goldens;
  const logitsOf = async (...sides: string[]): Promise<number[]> => {
    const { entries } = await openSafetensors(`${folder}/logits.safetensors`);
    return Array.from(await readFloat32(entries.get(sides.find((side) => entries.has(side))!)!));
  };

  test.each(["none", "left", "right"] as const)("logits with padding: %s", async (side) => {
    await using model = await loadModel(`${folder}/model`, { threads: 1 });
    const mask = side === "none" ? undefined : goldens[side];
    await expectLogits(model, { ids, mask }, await logitsOf(side));
  });

  test("loss and every gradient", async () => {
    await using model = await loadModel(`${folder}/model`, { threads: 1 });
    await expectGradients(folder, model, { ids, mask: right }, goldens);
  });

  test.skipIf(goldens.adamw === undefined)("losses and weights of ten AdamW steps with clipping", async () => {
    await expectTenSteps(folder, { ids, mask: right }, goldens, `${folder}/model`);
  });

  test("ids of greedy search and beam search", async () => {
    await using model = await loadModel(`${folder}/model`, { threads: 1 });
    for (const { options, prompt, sequences } of goldens.generate) {
      const { max_new_tokens: maxNewTokens, num_beams: numBeams } = options;
      const settings = { maxNewTokens, ...(numBeams === undefined ? {} : { numBeams }) };
      const found = await model.generate({ ids: [prompt], ...settings, padTokenId: 0 });
      expect(found.sequences, JSON.stringify({ options, prompt })).toEqual(sequences);
    }
  });

  test("logits of a text that is read by parts", async () => {
    const parts = await readByParts(`${folder}/model`, ids, [9, 1, 14]);
    expect(largestDifference(parts, await logitsOf("parts", "none"))).toBeLessThan(1e-4);
  });
}

/** Logits [B, T, V] of every token, the rows' tokens fed in parts of these lengths, each with a cache of those before. */
async function readByParts(folder: string, rows: readonly number[][], lengths: readonly number[]): Promise<number[]> {
  const { family, config, entries } = await openModelFolder(folder);
  const { keyHeads, headWidth, layers } = family.cache!(config);
  const graph = decodingGraph(family, config);
  const { tensors } = await readParameters(graph, entries, folder);
  await using session = await openInMemory(graph, Object.fromEntries(tensors), { threads: 1 });
  const count = rows.length;
  const names = Array.from({ length: layers }, (_, layer) => [`${layer}.key`, `${layer}.value`]).flat();
  /** Of every part of the cache and row and head: the numbers so far. */
  const kept = names.map(() => Array.from({ length: count * keyHeads }, (): number[] => []));
  const found: number[][] = rows.map(() => []);
  let start = 0;
  for (const length of lengths) {
    const cacheOf = (part: number): Tensor => {
      const room = start === 0 ? [...Array<number>(headWidth).fill(0)] : [];
      const numbers = kept[part]!.flatMap((head) => [...head, ...room]);
      return tensor("float32", [count, keyHeads, Math.max(start, 1), headWidth], Float32Array.from(numbers));
    };
    const feeds: Tensors = {
      ids: int64(
        rows.map((row) => row.slice(start, start + length)),
        length,
      ),
      positions: int64(
        rows.map(() => Array.from({ length }, (_, i) => start + i)),
        length,
      ),
      past: tensor(
        "int32",
        [count, Math.max(start, 1)],
        new Int32Array(count * Math.max(start, 1)).fill(start > 0 ? 1 : 0),
      ),
      last: tensor(
        "int64",
        [count * length],
        BigInt64Array.from({ length: count * length }, (_, i) => BigInt(i)),
      ),
      ...Object.fromEntries(names.map((name, part) => [`past_key_values.${name}`, cacheOf(part)])),
    };
    const outputs = await session.run(feeds);
    const size = length * config.vocab_size;
    found.forEach((row, i) => row.push(...Array.from(outputs["logits"]!.data.slice(i * size, (i + 1) * size), Number)));
    names.forEach((name, part) => {
      const { data } = outputs[`present.${name}`]!;
      const step = length * headWidth;
      kept[part]!.forEach((head, i) => head.push(...Array.from(data.slice(i * step, (i + 1) * step), Number)));
    });
    start += length;
  }
  return found.flat();
}
