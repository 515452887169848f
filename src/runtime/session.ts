/**
 * Sessions: compiled ONNX models that take and give tensors, whatever runs them. The backend is a module of one
 * function, loaded when the first session is made: `ort-node.ts`, or a browser's `ort-web.ts`. Bundlers leave the first out
 * (package.json's `browser` field); nothing else in Galen knows the engine.
 */
import { ConfigError } from "../errors.ts";
import type { Tensor } from "../tensor/tensor.ts";

export const devices = ["cpu", "webgpu", "cuda", "auto"] as const;
export type Device = (typeof devices)[number];

export interface SessionOptions {
  /** Where the graph runs; "auto" takes CUDA, then the CPU. Default "cpu". */
  readonly device?: Device | undefined;
  /** Threads within an op; default: one a core. */
  readonly threads?: number | undefined;
  /** Folder that the model's external initialisers are relative to. */
  readonly externalFolder?: string | undefined;
  /** Files of external initialisers that are in memory instead, by their names: a browser's. */
  readonly externalData?: ReadonlyMap<string, Uint8Array> | undefined;
  /** Recomputation for gradient checkpointing must survive: no merging of equal nodes. */
  readonly keepRecomputation?: boolean | undefined;
  /**
   * Memory matters: no block is laid out for a run's tensors together, which ONNX Runtime takes at the second run of a
   * shape beside what the first one took.
   */
  readonly sparing?: boolean | undefined;
  /** Writes ONNX Runtime's trace to a file that begins with this. */
  readonly profile?: string | undefined;
}

export type Tensors = Readonly<Record<string, Tensor>>;

export interface Session extends AsyncDisposable {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /**
   * Computes the outputs. Those named in `into` are written there (their dims must be right); others are new.
   * @throws RuntimeError when an input is missing or does not fit, or the device fails.
   */
  run(inputs: Tensors, into?: Tensors): Promise<Record<string, Tensor>>;
  dispose(): Promise<void>;
}

const isNode = (globalThis as { process?: Partial<NodeJS.Process> }).process?.versions?.node !== undefined;

/**
 * Compiles an ONNX model (its bytes, or a path).
 * @throws ConfigError on an unknown device; RuntimeError when the device's provider is missing or the model is refused.
 */
export async function createSession(model: Uint8Array | string, options: SessionOptions = {}): Promise<Session> {
  const { device = "cpu" } = options;
  if (!devices.includes(device)) {
    throw new ConfigError(`device: expected one of ${devices.join(", ")}, got "${device}"`);
  }
  const backend = await (isNode ? import("./ort-node.ts") : import("./ort-web.ts"));
  return backend.compile(model, device, options);
}
