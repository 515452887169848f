/** A model of a named size in few bits, of random numbers, written as `galen quantize` would: one matrix in memory. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { saveSharded } from "../../src/checkpoints/checkpoint.ts";
import { groupedSources, groupingFields } from "../../src/checkpoints/grouped.ts";
import { takesGroups } from "../../src/graph/weights/groups.ts";
import { weightsOf } from "../../src/graph/weights/layers.ts";
import { type Family, type ModelConfig, scoringGraph } from "../../src/models/index.ts";
import type { Bits, GroupedWeight } from "../../src/tensor/grouped.ts";
import { random } from "../../src/tensor/random.ts";
import { sizeOf } from "../../src/tensor/tensor.ts";

/** Gives the bytes of its tensors. */
export async function writeRandomBits(
  folder: string,
  family: Family,
  config: ModelConfig,
  { bits, group }: { readonly bits: Bits; readonly group: number },
): Promise<number> {
  mkdirSync(folder, { recursive: true });
  const numbers = random(1);
  const noise = Uint8Array.from({ length: 1 << 22 }, () => numbers.integer(256));
  const graph = scoringGraph(family, config);
  const grouped = new Map(
    weightsOf(graph)
      .filter((weight) => takesGroups(weight, group))
      .map((weight) => [weight.name, weight]),
  );
  const tensors = [...graph.parameters].flatMap(([name, { value, init }]) => {
    const dims = value.shape as number[];
    const weight = grouped.get(name);
    if (weight === undefined) {
      const data = new Float32Array(sizeOf(dims)).fill("constant" in init ? init.constant : 0.01);
      return [{ name, dtype: "float32" as const, dims, data }];
    }
    const { outputs, width, transposed } = weight;
    const read = async (): Promise<GroupedWeight> => {
      const whole = new Uint8Array((outputs * width * bits) / 8);
      // No two matrices alike: ONNX Runtime would hold equal ones once.
      for (let at = 0; at < whole.length;) {
        const part = noise.subarray(numbers.integer(1 << 21)).subarray(0, whole.length - at);
        whole.set(part, at);
        at += part.length;
      }
      // Numbers of deviation 0.02: whole ones of four bits have 4.6.
      const scales = new Float32Array((outputs * width) / group).fill(bits === 4 ? 0.0043 : 0.00027);
      return { bits, group, outputs, width, whole, scales };
    };
    return groupedSources(name, { dims }, { bits, group, transposed }, read);
  });
  await saveSharded(folder, tensors, { inOrder: true });
  const json = {
    architectures: [family.architecture],
    ...config,
    quantization_config: groupingFields({ bits, group }),
  };
  writeFileSync(join(folder, "config.json"), JSON.stringify(json));
  const bytes = { uint8: 1, float32: 4 };
  return tensors.reduce((sum, { dims, dtype }) => sum + sizeOf(dims) * bytes[dtype as "uint8"], 0);
}
