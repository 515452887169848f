/**
 * ONNX Runtime for browsers, the only importer of it: WebAssembly ("cpu") and WebGPU. The package for WebAssembly alone is
 * half as large, and loaded where no session has asked for WebGPU before. Its settings, such as where its files are, are
 * the package's own `env`.
 */
import type * as ort from "onnxruntime-web";
import { RuntimeError } from "../errors.ts";
import { sessionOf } from "./ort-session.ts";
import type { Device, Session, SessionOptions } from "./session.ts";

type Package = typeof ort;
let withGpu: Promise<Package> | undefined;

function packageFor(device: Device): Promise<Package> {
  if (device === "webgpu") withGpu ??= import("onnxruntime-web/webgpu");
  return withGpu ?? import("onnxruntime-web/wasm");
}

/** WebAssembly computes on the page's own thread: before each run the page has a turn, to draw and to take a click. */
const turn = (): Promise<void> =>
  new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    const receive = (): void => {
      port1.close();
      resolve();
    };
    Object.assign(port1, { onmessage: receive });
    port2.postMessage(undefined);
  });

/** What `createSession` compiles with. */
export async function compile(model: Uint8Array | string, wanted: Device, options: SessionOptions): Promise<Session> {
  const device = wanted === "auto" ? "cpu" : wanted;
  try {
    const { env, InferenceSession, Tensor } = await packageFor(device);
    env.logLevel = "fatal"; // what goes wrong comes as an exception
    if (options.threads !== undefined) env.wasm.numThreads = options.threads;
    const settings: ort.InferenceSession.SessionOptions = {
      executionProviders: [device === "cpu" ? "wasm" : device],
      graphOptimizationLevel: "all",
      logSeverityLevel: 3,
      externalData: [...(options.externalData ?? [])].map(([path, data]) => ({ path, data })),
    };
    const session = await (typeof model === "string"
      ? InferenceSession.create(model, settings)
      : InferenceSession.create(model, settings));
    return sessionOf(session, {
      viewOf: ({ dtype, data, dims }) => new Tensor(dtype as ort.Tensor.Type, data as ort.Tensor.DataType, dims),
      writesInto: false,
      turn,
    });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new RuntimeError(`session on ${wanted}: ONNX Runtime refused: ${reason}`, {
      cause,
      hint:
        device === "webgpu"
          ? "this browser or its graphics driver has no WebGPU: use WebAssembly"
          : "onnxruntime-web's own files (.wasm, .mjs) must be served beside it, or be named by its env.wasm.wasmPaths",
    });
  }
}
