/** A model of random weights as a model directory: benchmarks measure speed, which does not depend on the numbers. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeSafetensors } from "../../src/checkpoints/safetensors.ts";
import { familyOf, type ModelConfig } from "../../src/models/index.ts";
import { scoringGraph } from "../../src/models/graphs.ts";
import { random } from "../../src/tensor/random.ts";
import { sizeOf } from "../../src/tensor/tensor.ts";
import type { Tokenizer } from "../../src/tokenizers/index.ts";

/** Writes config.json, model.safetensors and, where given, the tokenizer's files. */
export async function writeRandomModel(
  folder: string,
  config: ModelConfig,
  tokenizer?: Tokenizer,
  dtype: "float32" | "bfloat16" = "float32",
): Promise<void> {
  const family = familyOf(config, "model");
  mkdirSync(folder, { recursive: true });
  const numbers = random(1);
  // One block of normal numbers, cut differently for every tensor, is random enough for a matrix product.
  const block = Float32Array.from({ length: 1 << 20 }, () => 0.02 * numbers.normal());
  const tensors = [...scoringGraph(family, config).parameters].map(([name, { value, init }]) => {
    const dims = value.shape as number[];
    const data = (): Float32Array => {
      const filled = new Float32Array(sizeOf(dims));
      if ("constant" in init) return filled.fill(init.constant);
      for (let at = 0; at < filled.length;) {
        const part = block.subarray(numbers.integer(1 << 19));
        const count = Math.min(part.length, filled.length - at);
        filled.set(part.subarray(0, count), at);
        at += count;
      }
      return filled;
    };
    return { name, dtype: "float32" as const, dims, data };
  });
  await writeSafetensors(join(folder, "model.safetensors"), tensors, { dtype });
  writeFileSync(join(folder, "config.json"), JSON.stringify({ architectures: [family.architecture], ...config }));
  for (const [name, contents] of tokenizer?.files() ?? []) writeFileSync(join(folder, name), contents);
}
