/** Weights of the start in few bits of which nothing learns: they stay in few bits in memory (`graph/weights/widened.ts`). */
import type { Graph } from "../graph/graph.ts";
import type { WidenedWeight } from "../graph/onnx-builder.ts";
import { type FrozenShape, frozenNumbers, frozenTensors, widenedWeight } from "../graph/weights/widened.ts";
import type { Tensors } from "../runtime/session.ts";
import { byteSize, madeTensor, sizeOf, type Tensor } from "../tensor/tensor.ts";
import type { Config } from "./config.ts";
import type { Start } from "./objectives/objective.ts";
import { partOf } from "./trainable.ts";

export type Frozen = ReadonlyMap<string, FrozenShape>;

/** By name, how they are held: none in half precision, which casts each weight once, and none on other devices than the CPU. */
export function frozenOf(
  { parameters }: Pick<Graph, "parameters">,
  { trainable, precision, device }: Pick<Config, "trainable" | "precision" | "device">,
  start: Start,
): Frozen {
  const found = new Map<string, FrozenShape>();
  if (device !== "cpu" || precision !== "float32") return found;
  const part = partOf(trainable, start);
  for (const [name, parameter] of parameters) {
    const { grouped, dims = [] } = start.entries.get(name) ?? {};
    const fits = dims.join() === parameter.value.shape.join();
    if (grouped === undefined || !fits || part(name, parameter) !== undefined) continue;
    const { bits, group, transposed = false, shifted } = grouped;
    const [outputs, width] = (transposed ? dims.toReversed() : dims) as [number, number];
    if (width % group === 0) found.set(name, { bits, group, transposed, shifted, outputs, width });
  }
  return found;
}

/** What sessions are fed with for them. @throws CheckpointError where a file is not what it was. */
export async function readFrozen(frozen: Frozen, { entries }: Start): Promise<Tensors> {
  const read: Record<string, Tensor> = {};
  for (const name of frozen.keys()) Object.assign(read, frozenTensors(name, await entries.get(name)!.grouped!.read()));
  return read;
}

/** What a person should know of weights that the start has in few bits. */
export function fewBitsNotes(entries: Start["entries"], frozen: Frozen): string[] {
  const float32Bytes = (names: readonly string[]): string => {
    const bytes = names.reduce((sum, name) => sum + sizeOf(entries.get(name)!.dims) * byteSize.float32, 0);
    return `${(bytes / 1e6).toFixed(0)} MB`;
  };
  const few = [...entries].filter(([, { grouped }]) => grouped !== undefined).map(([name]) => name);
  const [kept, widened] = [few.filter((name) => frozen.has(name)), few.filter((name) => !frozen.has(name))];
  const written = "what is written is float32";
  return [
    ...(kept.length === 0
      ? []
      : [`${kept.length} weights stay in few bits while others learn, instead of ${float32Bytes(kept)}: ${written}`]),
    ...(widened.length === 0
      ? []
      : [
          `${widened.length} weights in few bits are float32 while they are trained on, ${float32Bytes(widened)}: ${written}`,
        ]),
  ];
}

/** How graphs take them. */
export function widenedOf(frozen: Frozen): Map<string, WidenedWeight> {
  return new Map([...frozen].map(([name, shape]) => [name, widenedWeight(name, shape)]));
}

/** They in float32, of what sessions are fed with, each made as it is asked for. */
export function frozenWeights(frozen: Frozen, tensors: Tensors): Map<string, Tensor<"float32">> {
  return new Map(
    [...frozen].map(([name, shape]) => {
      const { outputs, width, transposed } = shape;
      const dims = transposed === true ? [width, outputs] : [outputs, width];
      return [name, madeTensor(dims, () => frozenNumbers(name, shape, tensors))];
    }),
  );
}
