/**
 * A model as an ONNX file for other programs: inputs `ids`, `mask` (and BERT's `types`), [B, T] int64, output `logits`.
 * The weights are in the file, or in one beside it (NAME.data), which a model of 2 GB and more needs.
 */
import { open, type FileHandle } from "node:fs/promises";
import { basename, join } from "node:path";
import { writeAtomically, writeFileAtomically } from "./io/files.ts";
import { lockBeside } from "./io/lock.ts";
import { ConfigError } from "./errors.ts";
import { resolveModel } from "./hub/index.ts";
import { type ParameterSource, toOnnx } from "./graph/lower.ts";
import { scoringGraph } from "./models/graphs.ts";
import { openModelFolder } from "./runtime/folder.ts";
import { required } from "./schema.ts";
import { parameterSources } from "./runtime/parameters.ts";
import { placesOf } from "./runtime/places.ts";

export interface ExportOptions {
  /** Default "inline" below 2 GB, else "external". */
  readonly weights?: "inline" | "external" | undefined;
  /** Only operators of the ONNX standard, for runtimes other than ONNX Runtime: slower. Default false. */
  readonly portable?: boolean | undefined;
}

export interface Exported {
  readonly path: string;
  readonly bytes: number;
  /** The file of the weights, where they are external. */
  readonly data: { readonly path: string; readonly bytes: number } | undefined;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** Protobuf's limit of a message: 2 GiB, less room for the graph itself. */
const inlineLimit = 2 ** 31 - 2 ** 24;

/** ONNX asks that external tensors that are to be mapped begin on a page. */
const page = 4096;

/**
 * Writes the scoring graph of a model directory as `path`.
 * @throws ConfigError where inline weights are too large, or another run writes to `path`; CheckpointError where weights cannot be read.
 */
export async function exportOnnx(source: string, path: string, options: ExportOptions = {}): Promise<Exported> {
  required("exportOnnx: path", path, "text");
  const folder = await resolveModel(source);
  const { family, config, entries } = await openModelFolder(folder);
  const graph = scoringGraph(family, config);
  const places = placesOf(entries);
  const sourceOf = await parameterSources(graph, entries, places);
  const names = [...graph.parameters.keys()];
  const total = names.reduce((sum, name) => sum + lengthOf(sourceOf(name)), 0);
  const weights = options.weights ?? (total < inlineLimit ? "inline" : "external");
  if (weights === "inline" && total >= inlineLimit) {
    throw new ConfigError(`${path}: expected weights below 2 GB inside an ONNX file, got ${total} bytes`, {
      hint: "export with external weights",
    });
  }
  await using _ = await lockBeside(path);
  await using files = new Files(places.where);
  const placed = new Map<string, ParameterSource>();
  let data: Exported["data"];
  if (weights === "inline") {
    for (const name of names) placed.set(name, await inlined(sourceOf(name), files));
  } else {
    data = { path: `${path}.data`, bytes: await writeData(`${path}.data`, names, sourceOf, files, placed) };
  }
  const contrib = options.portable !== true;
  const bytes = toOnnx(graph, { parameters: (name) => placed.get(name)!, contrib });
  await writeFileAtomically(path, bytes);
  const inputs = graph.inputs.map(({ name }) => name);
  return { path, bytes: bytes.length, data, inputs, outputs: [...graph.outputs.keys()] };
}

type Stored = Exclude<ParameterSource, "input">;

function stored(source: ParameterSource): Stored {
  if (source === "input") throw new Error("a parameter of a model folder has a place");
  return source;
}

function lengthOf(source: ParameterSource): number {
  const place = stored(source);
  return "bytes" in place ? place.bytes.length : place.length;
}

/** The checkpoint's files, each opened once. */
class Files implements AsyncDisposable {
  readonly #folder: string;
  readonly #handles = new Map<string, FileHandle>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  async read(source: Stored): Promise<Uint8Array> {
    if ("bytes" in source) return source.bytes;
    const path = join(this.#folder, source.location);
    let handle = this.#handles.get(path);
    if (handle === undefined) this.#handles.set(path, (handle = await open(path, "r")));
    const bytes = new Uint8Array(source.length);
    for (let done = 0; done < bytes.length;) {
      const { bytesRead } = await handle.read(bytes, done, bytes.length - done, source.offset + done);
      if (bytesRead === 0)
        throw new ConfigError(`${path}: expected ${source.length} bytes at ${source.offset}, got ${done}`);
      done += bytesRead;
    }
    return bytes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const handle of this.#handles.values()) await handle.close();
  }
}

async function inlined(source: ParameterSource, files: Files): Promise<ParameterSource> {
  const place = stored(source);
  return { dtype: place.dtype, bytes: await files.read(place) };
}

/** Writes all weights one after the other, fills `placed`, and returns the file's size. */
async function writeData(
  path: string,
  names: readonly string[],
  sourceOf: (name: string) => ParameterSource,
  files: Files,
  placed: Map<string, ParameterSource>,
): Promise<number> {
  let offset = 0;
  await writeAtomically(path, async (temporary) => {
    const handle = await open(temporary, "w");
    try {
      for (const name of names) {
        const place = stored(sourceOf(name));
        const bytes = await files.read(place);
        offset = Math.ceil(offset / page) * page;
        await handle.write(bytes, 0, bytes.length, offset);
        placed.set(name, { dtype: place.dtype, location: basename(path), offset, length: bytes.length });
        offset += bytes.length;
      }
    } finally {
      await handle.close();
    }
  });
  return offset;
}
