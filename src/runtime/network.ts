/** A graph with a directory's weights, compiled: these are mapped from its files, or linear layers are in eight bits. */
import { ConfigError } from "../errors.ts";
import type { Graph } from "../graph/graph.ts";
import { toOnnx } from "../graph/lower.ts";
import { createSession, type Session, type SessionOptions } from "./ort.ts";
import { type Entries, parameterSources } from "./parameters.ts";

export interface NetworkOptions extends SessionOptions {
  /**
   * Linear layers in eight bits, on the CPU: about twice as fast, cosines of embeddings with the float32 ones of about
   * 0.99 (all-MiniLM-L6-v2). Activations are quantised by the range of their batch, so results depend a little on what
   * else is in it.
   */
  readonly int8?: boolean | undefined;
}

/**
 * Compiles a graph whose parameters are `entries`, in files of `folder`.
 * @throws ConfigError for int8 off the CPU; CheckpointError where a parameter is missing or has another shape.
 */
export async function openNetwork(
  graph: Graph,
  entries: Entries,
  folder: string,
  { int8 = false, ...options }: NetworkOptions = {},
): Promise<Session> {
  if (int8 && (options.device ?? "cpu") !== "cpu") {
    throw new ConfigError(`int8: expected device cpu, got ${options.device}`, {
      hint: "ONNX Runtime has the eight-bit products on the CPU alone; leave int8 or the device out",
    });
  }
  const parameters = await parameterSources(graph, entries, folder, { int8 });
  const branches = (options.device ?? "cpu") === "cpu";
  return createSession(toOnnx(graph, { parameters, branches }), { ...options, externalFolder: folder });
}
