/** Vectors on disk, window by window: NumPy's .npy (float32, [rows, width]) and Parquet (columns id, embedding). */
import { type FileHandle, open } from "node:fs/promises";
import { createShard, defaultCompression, encodeGroup } from "../corpus/parquet-codec.ts";
import { ConfigError } from "../errors.ts";
import { resolveModel } from "../hub/index.ts";
import { writeAtomically } from "../io/files.ts";
import { pathFingerprint } from "../io/fingerprint.ts";
import { lockBeside } from "../io/lock.ts";
import { type Sources, withOrigin } from "../io/origin.ts";
import { inWindows, type Items } from "../io/streams.ts";
import type { EmbeddedText } from "./embedder.ts";

type Row = Pick<EmbeddedText, "id" | "vector">;

/** Appends windows of vectors to an empty file. @returns how many there were. */
type Format = (
  file: FileHandle,
  shape: { readonly width: number; readonly model: string | undefined },
  windows: AsyncIterable<readonly Row[]>,
) => Promise<number>;

/** Rows of a Parquet row group, which is in memory as a whole. */
const groupRows = 1024;

/**
 * Writes vectors of `width` numbers to a file, in the format of its name's ending; it appears under its name when all
 * of them are there.
 * `model`: the directory of the model that made them, whose fingerprint a Parquet file carries (`galen.model`), so that
 * vectors of another model are not mixed in or compared with these. A .npy file has no room for it: NAME.npy.json says
 * it, and which file of `texts` its rows are of (`readOrigin`).
 * @returns how many there were.
 * @throws ConfigError for another ending than .npy and .parquet, and where another run writes to the file.
 */
export async function writeVectors(
  path: string,
  width: number,
  vectors: Items<Row>,
  given: Sources = {},
): Promise<number> {
  const format = /\.(?:npy|parquet)$/.exec(path)?.[0];
  if (format === undefined) {
    throw new ConfigError(`output: expected a name that ends in .parquet or .npy, got ${path}`);
  }
  const sources = { ...given, model: given.model === undefined ? undefined : await resolveModel(given.model) };
  if (format === ".npy") {
    return withOrigin(path, sources, () => writeAs(writeNpy, path, { width, model: undefined }, vectors));
  }
  await using _ = await lockBeside(path);
  const model = sources.model === undefined ? undefined : await pathFingerprint(sources.model);
  return writeAs(writeParquet, path, { width, model }, vectors);
}

async function writeAs(
  format: Format,
  path: string,
  shape: Parameters<Format>[1],
  vectors: Items<Row>,
): Promise<number> {
  let rows = 0;
  await writeAtomically(path, async (temporary) => {
    await using file = await open(temporary, "wx");
    rows = await format(file, shape, inWindows(vectors, groupRows));
  });
  return rows;
}

const columns = { id: "string", embedding: ["float"] } as const;

const writeParquet: Format = async (file, { model }, windows) => {
  const metadata = model === undefined ? {} : { "galen.model": model };
  const shard = await createShard(file, columns, defaultCompression, "galen", metadata);
  for await (const rows of windows) {
    const group = rows.map(({ id, vector }) => ({ id, embedding: Array.from(vector) }));
    await shard.append(encodeGroup(group, columns, defaultCompression));
  }
  await shard.finish();
  return shard.rows;
};

/** Bytes of the header, so that the number of rows can be put in at the end. */
const headerBytes = 128;

const writeNpy: Format = async (file, { width }, windows) => {
  await file.writeFile(npyHeader(0, width));
  let count = 0;
  for await (const rows of windows) {
    const block = new Float32Array(rows.length * width);
    rows.forEach(({ vector }, i) => block.set(vector, i * width));
    await file.writeFile(new Uint8Array(block.buffer));
    count += rows.length;
  }
  await file.write(npyHeader(count, width), 0, headerBytes, 0);
  return count;
};

/** NumPy's format 1.0 (numpy.lib.format). */
function npyHeader(rows: number, width: number): Buffer {
  const fields = `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${width}), }`;
  const header = Buffer.alloc(headerBytes, " ");
  header.write("\x93NUMPY\x01\x00", 0, "latin1");
  header.writeUInt16LE(headerBytes - 10, 8);
  header.write(fields, 10, "latin1");
  header.write("\n", headerBytes - 1, "latin1");
  return header;
}
