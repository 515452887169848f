/** A graph with a directory's weights, compiled: these are mapped from its files, or linear layers are in eight bits. */
import { ConfigError } from "../errors.ts";
import type { Graph, Value } from "../graph/graph.ts";
import { toOnnx } from "../graph/lower.ts";
import { channelDivisors, channelRanges, linearLayers } from "../graph/quantize.ts";
import { createSession, type Session, type SessionOptions, type Tensors } from "./ort.ts";
import { type Entries, parameterSources } from "./parameters.ts";

export interface NetworkOptions extends SessionOptions {
  /**
   * Linear layers in eight bits, on the CPU: more than twice as fast, cosines of embeddings with the float32 ones above
   * 0.99 (all-MiniLM-L6-v2). Activations are quantised by the range of their batch, so results depend a little on what
   * else is in it.
   */
  readonly int8?: boolean | undefined;
}

/**
 * Compiles a graph whose parameters are `entries`, in files of `folder`.
 * @param sample inputs of the usual kind, from which eight bits learn which channels are large.
 * @throws ConfigError for int8 off the CPU; CheckpointError where a parameter is missing or has another shape.
 */
export async function openNetwork(
  graph: Graph,
  entries: Entries,
  folder: string,
  { int8 = false, ...options }: NetworkOptions = {},
  sample: () => Tensors = () => ({}),
): Promise<Session> {
  const isOnCpu = (options.device ?? "cpu") === "cpu";
  if (int8 && !isOnCpu) {
    throw new ConfigError(`int8: expected device cpu, got ${options.device}`, {
      hint: "ONNX Runtime has the eight-bit products on the CPU alone; leave int8 or the device out",
    });
  }
  const session: SessionOptions = { ...options, externalFolder: folder };
  const quantized = int8 ? await divisorsOf(graph, entries, session, sample()) : undefined;
  const parameters = await parameterSources(graph, entries, folder, quantized);
  return createSession(toOnnx(graph, { parameters, branches: isOnCpu }), session);
}

/** The weights of linear layers, with the divisors of their inputs' channels for inputs like `sample`. */
async function divisorsOf(
  graph: Graph,
  entries: Entries,
  options: SessionOptions,
  sample: Tensors,
): Promise<Map<string, Float32Array | undefined>> {
  const layers = linearLayers(graph);
  const ranges = new Map<Value, Value>();
  for (const x of layers.values()) if (!ranges.has(x)) ranges.set(x, channelRanges(x));
  const outputs = new Map([...ranges.values()].map((range) => [range.name, range]));
  const parameters = await parameterSources(graph, entries, options.externalFolder!);
  await using session = await createSession(toOnnx(graph, { parameters, outputs }), options);
  const found = await session.run(sample);
  return new Map(
    [...layers].map(([name, x]) => [name, channelDivisors(found[ranges.get(x)!.name]!.data as Float32Array)]),
  );
}
