/**
 * ONNX Runtime for Node: the only importer of it. Tensors go in and out without a copy on the CPU, and outputs can be
 * written into tensors that the caller owns.
 */
import * as ort from "onnxruntime-node";
import { RuntimeError } from "../errors.ts";
import type { DType, Tensor } from "../tensor/tensor.ts";
import type { Device, Session, SessionOptions, Tensors } from "./session.ts";

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

/** What `createSession` compiles with; the first of the device's providers that works. */
export async function compile(model: Uint8Array | string, wanted: Device, options: SessionOptions): Promise<Session> {
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
