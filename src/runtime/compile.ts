/**
 * A graph with a model's weights, compiled: taken as they lie where ONNX Runtime reads them, or packed in another format
 * as they are read (`graph/weights/`). Where they lie, on disk (`network.ts`) or in a browser's memory, its caller knows.
 */
import { readFloat32 } from "../checkpoints/entries.ts";
import { ConfigError } from "../errors.ts";
import type { Graph, Value } from "../graph/graph.ts";
import { type LowerOptions, toOnnx } from "../graph/lower.ts";
import type { PackedWeight } from "../graph/onnx-builder.ts";
import type { Weight, WeightFormat } from "../graph/weights/format.ts";
import { packedGroups, takesGroups } from "../graph/weights/groups.ts";
import { type WeightFormatName, weightFormats } from "../graph/weights/index.ts";
import { channelRanges, weightsOf } from "../graph/weights/layers.ts";
import { type Grouping, transposed } from "../tensor/grouped.ts";
import { finiteSession, requireFinite } from "./finite.ts";
import { createSession, type Session, type SessionOptions, type Tensors } from "./session.ts";
import { type Entries, parameterSources, type Places, requireParameters } from "./parameters.ts";

export interface NetworkOptions extends SessionOptions {
  /**
   * How weights are held; all but "float32" are the CPU's. Default: as the checkpoint has them, in few bits too.
   * - "int4", "int8-groups": 4 or 8 bits, in groups of 32 with a scale each, the head and the token table too. A quarter
   *   or an eighth of the memory, and of the time of a step of generation.
   * - "int8": linear layers in eight bits, and what they multiply as well, by the range of the whole batch: the fastest
   *   for batches of texts, cosines of embeddings with the float32 ones above 0.99 (all-MiniLM-L6-v2), but results depend
   *   a little on what else is in a batch.
   */
  readonly weights?: WeightFormatName | undefined;
  /** "any": weights that are larger than the free memory are loaded all the same. Default: they are refused. */
  readonly memory?: "any" | undefined;
}

/** Of these options what results depend on, for runs that are resumed: the format of the weights. */
export function identityOf({ weights = "float32" }: Pick<NetworkOptions, "weights">): { readonly weights: string } {
  return { weights };
}

/** What a graph needs of its weights. */
export interface Needed {
  readonly graph: Graph;
  readonly weights: readonly Weight[];
  /** Those that are held in groups. */
  readonly groupings: ReadonlyMap<string, Grouping>;
}

/** Weights where ONNX Runtime finds them; disposed of when the session is open. */
export interface Placed extends Places, AsyncDisposable {
  /** Those in groups with their parts. */
  readonly entries: Entries;
  readonly session: Pick<SessionOptions, "externalFolder" | "externalData">;
}

/**
 * Compiles a graph whose parameters are `entries` of the model `where`.
 * @param place puts them where a session finds them.
 * @param sample inputs of the usual kind, from which a format may learn which channels are large.
 * @throws ConfigError for a format that is unknown or that the device lacks; CheckpointError where a parameter is
 * missing or has another shape; from `run`, see `finiteSession`.
 */
export async function compileNetwork(
  graph: Graph,
  { entries, where, place }: { entries: Entries; where: string; place: (needed: Needed) => Promise<Placed> },
  { weights, ...options }: Omit<NetworkOptions, "memory">,
  sample: () => Tensors | Promise<Tensors>,
): Promise<Session> {
  const device = options.device ?? "cpu";
  const format = weights === undefined ? undefined : formatOf(weights, device);
  const all = weightsOf(graph);
  const groupings = new Map(
    all.flatMap((weight) => {
      const grouping = groupingOf(weight, entries.get(weight.name)?.grouped, format, device);
      return grouping === undefined ? [] : [[weight.name, grouping] as const];
    }),
  );
  requireParameters(graph, entries, where);
  await using placed = await place({ graph, weights: all, groupings });
  const packed = new Map<string, PackedWeight>();
  for (const { name, outputs, width } of all) {
    const grouping = groupings.get(name);
    if (grouping === undefined) continue;
    const { whole, scales, shifts } = placed.entries.get(name)!.grouped!.parts!;
    const parts = {
      whole: placed.placeOf(whole),
      scales: placed.placeOf(scales),
      shifts: shifts && placed.placeOf(shifts),
    };
    packed.set(name, packedGroups(name, { ...grouping, ...parts, outputs, width }));
  }
  const session: SessionOptions = { ...options, ...placed.session };
  const parameters = await parameterSources(graph, placed.entries, placed, packed);
  const packers = all.flatMap((weight) => {
    const pack = packed.has(weight.name) ? undefined : format?.packer(weight);
    return pack === undefined ? [] : [{ weight, pack }];
  });
  const layers = packers.map(({ weight }) => weight);
  const ranges =
    format?.calibrated === true ? await rangesOf(graph, layers, { parameters }, session, sample) : undefined;
  for (const { weight, pack } of packers) {
    const entry = entries.get(weight.name)!;
    const numbers = await readFloat32(entry);
    requireFinite(`${entry.file}: "${weight.name}"`, numbers, entry.dims);
    const { name, outputs, width } = weight;
    packed.set(name, pack(weight.transposed ? transposed(numbers, width, outputs) : numbers, ranges?.get(name)));
  }
  const model = toOnnx(graph, { parameters, packed, branches: device === "cpu" });
  return finiteSession(await createSession(model, session), where, entries);
}

/** How a weight is held in groups, if it is: as it is stored, or as the format says. */
function groupingOf(
  weight: Weight,
  stored: Grouping | undefined,
  format: WeightFormat | undefined,
  device: string,
): Grouping | undefined {
  if (weight.uses.has("other")) return undefined;
  if (format === undefined) return device === "cpu" ? stored : undefined;
  const { grouping } = format;
  if (grouping === undefined) return undefined;
  if (stored?.bits === grouping.bits) return stored;
  return takesGroups(weight, grouping.group) ? { ...grouping, transposed: weight.transposed } : undefined;
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

/** The ranges of the channels that each weight is multiplied with, in a run over `sample`. */
async function rangesOf(
  graph: Graph,
  weights: readonly Weight[],
  lowering: LowerOptions,
  options: SessionOptions,
  sample: () => Tensors | Promise<Tensors>,
): Promise<Map<string, Float32Array>> {
  if (weights.length === 0) return new Map();
  const outputs = new Map<string, Value>(weights.map((weight) => [`${weight.name}/ranges`, channelRanges(weight)]));
  await using session = await createSession(toOnnx(graph, { ...lowering, outputs }), options);
  const found = await session.run(await sample());
  return new Map(weights.map(({ name }) => [name, found[`${name}/ranges`]!.data as Float32Array]));
}
