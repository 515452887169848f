/**
 * Networks in a browser: weights out of memory, all in float32, since fewer bits give wrong numbers on WebGPU without a
 * word. A network on WebGPU is first computed on WebAssembly too: where they differ, or WebGPU does not work at all,
 * WebAssembly is taken, and a note says so.
 */
import { isPlain, readFloat32, type TensorEntry } from "../checkpoints/entries.ts";
import { isFloat } from "../checkpoints/floats.ts";
import { ConfigError } from "../errors.ts";
import type { Graph } from "../graph/graph.ts";
import { compileNetwork, type Placed } from "../runtime/compile.ts";
import type { Entries } from "../runtime/parameters.ts";
import type { Session, Tensors } from "../runtime/session.ts";

export const browserDevices = ["auto", "webgpu", "wasm"] as const;
export type BrowserDevice = (typeof browserDevices)[number];

export interface DeviceOptions {
  /** "auto" takes WebGPU where the browser has it. Default "auto". */
  readonly device?: BrowserDevice | undefined;
  /** Of WebAssembly, on pages that are isolated (COOP and COEP); the first session's count. Default: by the processor. */
  readonly threads?: number | undefined;
}

/** Where a network runs. */
export interface RunsOn {
  readonly device: Exclude<BrowserDevice, "auto">;
  /** Why it is not where it was asked to be. */
  readonly notes: readonly string[];
}

/** What results on WebGPU may differ by, as a share of the largest number among them: rounding gives some 1e-6. */
export const parityTolerance = 1e-3;

export interface Weights {
  readonly entries: Entries;
  readonly where: string;
  /** Files by their paths. */
  readonly bytes: ReadonlyMap<string, Uint8Array>;
}

type Sample = () => Tensors | Promise<Tensors>;

/**
 * Compiles a graph over weights in memory.
 * @param sample inputs by which the devices are compared.
 * @throws ConfigError for an unknown device; CheckpointError where a parameter is missing or has another shape.
 */
export async function openNetwork(
  graph: Graph,
  weights: Weights,
  { device = "auto", threads }: DeviceOptions,
  sample: Sample,
): Promise<RunsOn & { readonly session: Session }> {
  if (!browserDevices.includes(device)) {
    throw new ConfigError(`device: expected one of ${browserDevices.join(", ")}, got "${String(device)}"`);
  }
  const compile = (on: "cpu" | "webgpu"): Promise<Session> => compileOn(on, graph, weights, threads, sample);
  const hasGpu = (globalThis as { navigator?: { gpu?: unknown } }).navigator?.gpu !== undefined;
  if (device === "wasm" || (device === "auto" && !hasGpu)) {
    return { session: await compile("cpu"), device: "wasm", notes: [] };
  }
  let onGpu: Session | undefined;
  let reason: string | undefined;
  let found: Tensors | undefined;
  try {
    onGpu = await compile("webgpu");
    found = await onGpu.run(await sample());
  } catch (error) {
    reason = `WebGPU failed (${(error as Error).message.split("\n", 1)[0]})`;
  }
  const onWasm = await compile("cpu");
  if (found !== undefined) {
    const difference = largestDifference(await onWasm.run(await sample()), found);
    if (difference > parityTolerance) {
      reason = `results on WebGPU differ from WebAssembly's by ${difference.toPrecision(2)} of the largest`;
    }
  }
  if (reason === undefined) {
    await onWasm.dispose();
    return { session: onGpu!, device: "webgpu", notes: [] };
  }
  await onGpu?.dispose();
  return { session: onWasm, device: "wasm", notes: [`${weights.where}: ${reason}: WebAssembly is taken`] };
}

function compileOn(
  device: "cpu" | "webgpu",
  graph: Graph,
  { entries, where, bytes }: Weights,
  threads: number | undefined,
  sample: Sample,
): Promise<Session> {
  const names = new Map([...bytes.keys()].map((path, i) => [path, `weights-${i}`]));
  const place = async (): Promise<Placed> => ({
    entries: widened,
    where,
    placeOf: ({ file, offset, byteLength }) => ({ location: names.get(file)!, offset, length: byteLength }),
    session: { externalData: new Map([...bytes].map(([path, data]) => [names.get(path)!, data])) },
    async [Symbol.asyncDispose]() {},
  });
  const widened = new Map([...entries].map(([name, entry]) => [name, inFloat32(entry)]));
  return compileNetwork(graph, { entries: widened, where, place }, { device, threads }, sample);
}

/** An entry of floats as one of float32, whatever it is stored in. */
function inFloat32(entry: TensorEntry): TensorEntry {
  if (!isFloat(entry.dtype) || (entry.dtype === "float32" && isPlain(entry))) return entry;
  const { name, file, open, dims, offset, byteLength } = entry;
  return { name, file, open, dims, offset, byteLength, dtype: "float32", make: () => readFloat32(entry) };
}

/** Over all results, as a share of the largest number in the one that is right; NaN and gaps count as infinite. */
export function largestDifference(right: Tensors, other: Tensors): number {
  let most = 0;
  for (const [name, { data }] of Object.entries(right)) {
    const found = other[name]?.data;
    if (found?.length !== data.length) return Infinity;
    let [largest, difference] = [0, 0];
    for (let i = 0; i < data.length; i++) {
      const [a, b] = [Number(data[i]), Number(found[i])];
      largest = Math.max(largest, Math.abs(a));
      const apart = Math.abs(a - b);
      if (!(apart <= difference)) difference = Number.isNaN(apart) ? Infinity : apart;
    }
    most = Math.max(most, difference === 0 ? 0 : difference / largest);
  }
  return most;
}
