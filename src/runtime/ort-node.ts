/**
 * ONNX Runtime for Node: the only importer of it. Tensors go in and out without a copy on the CPU, and outputs can be
 * written into tensors that the caller owns.
 */
import * as ort from "onnxruntime-node";
import { RuntimeError } from "../errors.ts";
import { sessionOf } from "./ort-session.ts";
import type { Device, Session, SessionOptions } from "./session.ts";

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
    enableMemPattern: options.sparing !== true,
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
      return sessionOf(await create(model, device, options), {
        viewOf: ({ dtype, data, dims }) => new ort.Tensor(dtype as ort.Tensor.Type, data as ort.Tensor.DataType, dims),
        writesInto: true,
      });
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
