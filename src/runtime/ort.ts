/**
 * ONNX Runtime for Node, behind a small interface: the only importer of it. A session runs an ONNX model; tensors go
 * in and out without a copy on the CPU, and outputs can be written into tensors that the caller owns.
 */
import * as ort from "onnxruntime-node";
import { ConfigError, RuntimeError } from "../errors.ts";
import type { DType, Tensor } from "../tensor/tensor.ts";

export const devices = ["cpu", "webgpu", "cuda", "auto"] as const;
export type Device = (typeof devices)[number];

export interface SessionOptions {
  /** Where the graph runs; "auto" takes CUDA, then the CPU. Default "cpu". */
  readonly device?: Device | undefined;
  /** Threads within an op; default: one a core. */
  readonly threads?: number | undefined;
  /** Folder that the model's external initialisers are relative to. */
  readonly externalFolder?: string | undefined;
  /** Recomputation for gradient checkpointing must survive: no merging of equal nodes. */
  readonly keepRecomputation?: boolean | undefined;
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

const hints: Partial<Record<Device, string>> = {
  cuda:
    'install its provider with "node node_modules/onnxruntime-node/script/install.js --onnxruntime-node-install=cuda12" ' +
    "where the network reaches NuGet, or use --device cpu or webgpu",
  webgpu: "a Vulkan, Metal or Direct3D 12 driver is needed; without one use --device cpu",
};

async function create(
  model: Uint8Array | string,
  device: Device,
  options: SessionOptions,
): Promise<ort.InferenceSession> {
  ort.env.logLevel = "fatal"; // what goes wrong comes as an exception; the log would only say it twice
  // Threads of one session must not spin while something else computes: the optimiser, say, after a training step.
  const session: Record<string, string> = { force_spinning_stop: "1" };
  if (options.externalFolder !== undefined)
    session["model_external_initializers_file_folder_path"] = options.externalFolder;
  const extra: Record<string, unknown> = { session };
  if (options.keepRecomputation === true) {
    extra["optimization"] = { disable_specified_optimizers: "CommonSubexpressionElimination" };
  }
  const sessionOptions: ort.InferenceSession.SessionOptions = {
    executionProviders: device === "cpu" ? ["cpu"] : [device, "cpu"],
    graphOptimizationLevel: "all",
    logSeverityLevel: 3,
    extra,
    ...(options.threads === undefined ? {} : { intraOpNumThreads: options.threads }),
    ...(options.profile === undefined ? {} : { enableProfiling: true, profileFilePrefix: options.profile }),
  };
  return typeof model === "string"
    ? ort.InferenceSession.create(model, sessionOptions)
    : ort.InferenceSession.create(model, sessionOptions);
}

/**
 * Compiles an ONNX model (its bytes, or a path).
 * @throws ConfigError on an unknown device; RuntimeError when the device's provider is missing or the model is refused.
 */
export async function createSession(model: Uint8Array | string, options: SessionOptions = {}): Promise<Session> {
  const wanted = options.device ?? "cpu";
  if (!devices.includes(wanted)) {
    throw new ConfigError(`device: expected one of ${devices.join(", ")}, got "${wanted}"`);
  }
  const candidates: Device[] = wanted === "auto" ? ["cuda", "cpu"] : [wanted];
  let failure: unknown;
  for (const device of candidates) {
    try {
      return wrap(await create(model, device, options));
    } catch (error) {
      failure = error;
    }
  }
  const reason = failure instanceof Error ? failure.message : String(failure);
  throw new RuntimeError(`session on ${wanted}: ONNX Runtime refused: ${reason}`, {
    cause: failure,
    hint: hints[wanted],
  });
}

const handles = new WeakMap<Tensor, ort.Tensor>();

/** The ONNX Runtime view of a host tensor; made once, so that a tensor reused at every step costs nothing again. */
function handleOf(tensor: Tensor): ort.Tensor {
  let handle = handles.get(tensor);
  if (handle === undefined) {
    handle = new ort.Tensor(tensor.dtype as ort.Tensor.Type, tensor.data as ort.Tensor.DataType, tensor.dims);
    handles.set(tensor, handle);
  }
  return handle;
}

function wrap(session: ort.InferenceSession): Session {
  let open = true;
  const dispose = async (): Promise<void> => {
    if (open) await session.release();
    open = false;
  };
  return {
    inputNames: session.inputNames,
    outputNames: session.outputNames,
    async run(inputs: Tensors, into: Tensors = {}): Promise<Record<string, Tensor>> {
      if (!open) throw new RuntimeError("session: expected an open session, got one that was disposed");
      const feeds: Record<string, ort.Tensor> = {};
      for (const name of session.inputNames) {
        const input = inputs[name];
        if (input === undefined) {
          throw new RuntimeError(
            `session: expected input "${name}", got ${Object.keys(inputs).join(", ") || "nothing"}`,
          );
        }
        feeds[name] = handleOf(input);
      }
      const fetches: Record<string, ort.Tensor | null> = {};
      for (const name of session.outputNames) fetches[name] = into[name] === undefined ? null : handleOf(into[name]);
      let results: ort.InferenceSession.OnnxValueMapType;
      try {
        results = await session.run(feeds, fetches);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        const hint = reason.includes("requires f16")
          ? "this device has no float16: leave precision at float32"
          : undefined;
        throw new RuntimeError(`session: ONNX Runtime failed: ${reason}`, { cause: error, hint });
      }
      const outputs: Record<string, Tensor> = {};
      for (const name of session.outputNames) {
        const given = into[name];
        const result = results[name] as ort.Tensor;
        outputs[name] = given ?? {
          dtype: result.type as DType,
          dims: result.dims,
          data: result.data as Tensor["data"],
        };
      }
      return outputs;
    },
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
}
