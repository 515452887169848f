/**
 * Tensors that are made as they are read (widened, reordered, merged) laid down in a temporary file, from which ONNX
 * Runtime maps them like any other: a model's bytes with hundreds of megabytes in them take far longer to open, and hold
 * two gigabytes at most.
 */
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, parse } from "node:path";
import { isPlain, readTensor, type TensorEntry } from "../checkpoints/entries.ts";
import { writing } from "../io/files.ts";
import { byteSize, sizeOf } from "../tensor/tensor.ts";
import type { Entries } from "./parameters.ts";

/** So many bytes in all stay in the model's own. */
const inlineBytes = 1 << 20;
const alignment = 64;

/** Entries until they are disposed of; what was mapped before stays mapped, but for systems that keep an open file. */
export interface Settled extends AsyncDisposable {
  readonly entries: Entries;
  /** In which all files are: ONNX Runtime maps none from outside. */
  readonly folder: string;
}

/**
 * The entries of these names, those that are made in a file; `folder`: that of the others' files.
 * @throws DataError where the disk is full.
 */
export async function settle(entries: Entries, names: Iterable<string>, folder: string): Promise<Settled> {
  const made = [...names].flatMap((name): [string, TensorEntry][] => {
    const entry = entries.get(name);
    return entry === undefined || isPlain(entry) ? [] : [[name, entry]];
  });
  const total = made.reduce((sum, [, { dims, dtype }]) => sum + sizeOf(dims) * byteSize[dtype], 0);
  if (total <= inlineBytes) return { entries, folder, [Symbol.asyncDispose]: async () => undefined };
  const place = await mkdtemp(join(tmpdir(), "galen-"));
  const remove = (): Promise<void> => rm(place, { recursive: true, force: true }).catch(() => undefined);
  try {
    const file = join(place, "weights");
    const settled = new Map(entries);
    await writing(file, async () => {
      await using handle = await open(file, "wx", 0o600);
      let offset = 0;
      for (const [name, entry] of made) {
        const { data } = await readTensor(entry);
        const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
        for (let done = 0; done < bytes.length;) {
          // One write(2) takes less than 2 GiB.
          const { bytesWritten } = await handle.write(
            bytes,
            done,
            Math.min(bytes.length - done, 1 << 30),
            offset + done,
          );
          done += bytesWritten;
        }
        const { dims, dtype } = entry;
        settled.set(name, { name: entry.name, file, dtype, dims, offset, byteLength: bytes.length });
        offset += Math.ceil(bytes.length / alignment) * alignment;
      }
    });
    return { entries: settled, folder: parse(place).root, [Symbol.asyncDispose]: remove };
  } catch (error) {
    await remove();
    throw error;
  }
}
