/**
 * A graph with a model directory's weights, compiled: weights are mapped from its files, or packed in another format as
 * they are read (`graph/weights/`).
 */
import { readFloat32 } from "../checkpoints/entries.ts";
import { ConfigError } from "../errors.ts";
import type { Graph, Value } from "../graph/graph.ts";
import { type LowerOptions, toOnnx } from "../graph/lower.ts";
import type { LinearLayer, PackedWeight, WeightFormat } from "../graph/weights/format.ts";
import { type WeightFormatName, weightFormats } from "../graph/weights/index.ts";
import { channelRanges, linearLayers } from "../graph/weights/layers.ts";
import { finiteSession, requireFinite } from "./finite.ts";
import { directoryOf } from "./foreign.ts";
import { settle } from "./settled.ts";
import { createSession, type Session, type SessionOptions, type Tensors } from "./session.ts";
import { type Entries, parameterSources } from "./parameters.ts";

export interface NetworkOptions extends SessionOptions {
  /**
   * How linear layers' weights are held. "int8": in eight bits, on the CPU: more than twice as fast, cosines of
   * embeddings with the float32 ones above 0.99 (all-MiniLM-L6-v2). Activations are quantised by the range of their
   * batch, so results depend a little on what else is in it. Default "float32": as the checkpoint has them.
   */
  readonly weights?: WeightFormatName | undefined;
}

/** Of these options what results depend on, for runs that are resumed: the format of the weights. */
export function identityOf({ weights = "float32" }: Pick<NetworkOptions, "weights">): { readonly weights: string } {
  return { weights };
}

/**
 * Compiles a graph whose parameters are `entries`, in files of `folder`.
 * @param sample inputs of the usual kind, from which a format may learn which channels are large.
 * @throws ConfigError for a format that is unknown or that the device lacks; CheckpointError where a parameter is
 * missing or has another shape; from `run`, see `finiteSession`.
 */
export async function openNetwork(
  graph: Graph,
  entries: Entries,
  folder: string,
  { weights = "float32", ...options }: NetworkOptions,
  sample: () => Tensors | Promise<Tensors>,
): Promise<Session> {
  const device = options.device ?? "cpu";
  const format = formatOf(weights, device);
  const packers = linearLayers(graph).flatMap((layer) => {
    const pack = format.packer(layer);
    return pack === undefined ? [] : [{ layer, pack }];
  });
  await using settled = await settle(entries, graph.parameters.keys(), directoryOf(folder));
  const parameters = await parameterSources(graph, settled.entries, settled.folder);
  const session: SessionOptions = { ...options, externalFolder: settled.folder };
  const layers = packers.map(({ layer }) => layer);
  const ranges =
    format.calibrated === true ? await rangesOf(graph, layers, { parameters }, session, sample) : undefined;
  const packed = new Map<string, PackedWeight>();
  for (const { layer, pack } of packers) {
    const entry = settled.entries.get(layer.name)!;
    const weight = await readFloat32(entry);
    requireFinite(`${entries.get(layer.name)!.file}: "${layer.name}"`, weight, entry.dims);
    packed.set(layer.name, pack(weight, ranges?.get(layer.name)));
  }
  const model = toOnnx(graph, { parameters, packed, branches: device === "cpu" });
  return finiteSession(await createSession(model, session), folder, entries);
}

function formatOf(name: WeightFormatName, device: string): WeightFormat {
  if (!Object.hasOwn(weightFormats, name)) {
    throw new ConfigError(`weights: expected one of ${Object.keys(weightFormats).join(", ")}, got "${name}"`);
  }
  const format = weightFormats[name];
  if (format.device === undefined || format.device === device) return format;
  throw new ConfigError(`weights in ${name}: expected device ${format.device}, got ${device}`, {
    hint: `ONNX Runtime has the products of ${name} there alone; leave the format or the device out`,
  });
}

/** The ranges of the channels that each layer multiplies, in a run over `sample`. */
async function rangesOf(
  graph: Graph,
  layers: readonly LinearLayer[],
  lowering: LowerOptions,
  options: SessionOptions,
  sample: () => Tensors | Promise<Tensors>,
): Promise<Map<string, Float32Array>> {
  if (layers.length === 0) return new Map();
  const outputs = new Map<string, Value>(layers.map((layer) => [`${layer.name}/ranges`, channelRanges(layer)]));
  await using session = await createSession(toOnnx(graph, { ...lowering, outputs }), options);
  const found = await session.run(await sample());
  return new Map(layers.map(({ name }) => [name, found[`${name}/ranges`]!.data as Float32Array]));
}
