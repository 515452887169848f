/**
 * Weights for one session: where they lie in files as ONNX Runtime takes them they are mapped from there; else, where they
 * are in few bits, widened, reordered or merged as they are read, all of the graph's are written to a temporary file, one
 * after the other. In the model's bytes they would be in memory several times over, and end at 2 GB.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tensorSource } from "../checkpoints/checkpoint.ts";
import { type GroupedEntry, isPlain, readFloat32, type TensorEntry } from "../checkpoints/entries.ts";
import { groupedSources, joinGroups } from "../checkpoints/grouped.ts";
import { openSafetensors, type TensorSource, writeSafetensors } from "../checkpoints/safetensors.ts";
import { type GroupedWeight, type Grouping, quantizeGroups, transposed } from "../tensor/grouped.ts";
import { byteSize, sizeOf } from "../tensor/tensor.ts";
import { requireFinite } from "./finite.ts";
import type { Entries } from "./parameters.ts";

/** Disposed of when the session is open: what it mapped stays mapped. */
export interface Held extends AsyncDisposable {
  readonly entries: Entries;
}

/** What is stored of a matrix, where it is stored in such groups. */
function storedIn({ grouped }: TensorEntry, { bits, group }: Grouping): GroupedEntry | undefined {
  return grouped?.bits === bits && grouped.group === group ? grouped : undefined;
}

/** The matrix `entry` in groups: as it is stored, or quantised. @throws CheckpointError where it is not finite. */
export async function readGroups(entry: TensorEntry, grouping: Grouping): Promise<GroupedWeight> {
  const { bits, group } = grouping;
  const stored = storedIn(entry, grouping);
  if (stored !== undefined) return stored.read();
  const [rows, columns] = entry.dims as [number, number];
  const numbers = await readFloat32(entry);
  requireFinite(`${entry.file}: "${entry.name}"`, numbers, entry.dims);
  if (grouping.transposed !== true) return quantizeGroups(numbers, { outputs: rows, width: columns, bits, group });
  return quantizeGroups(transposed(numbers, rows, columns), { outputs: columns, width: rows, bits, group });
}

/** So many bytes that are no file's stay in the model's own. */
const inlineBytes = 1 << 20;

/**
 * The `parameters`, in files that are mapped, those in `groupings` in groups.
 * @throws DataError where the disk for temporary files is full; CheckpointError for a weight that is not finite.
 */
export async function hold(
  entries: Entries,
  parameters: Iterable<string>,
  groupings: ReadonlyMap<string, Grouping>,
): Promise<Held> {
  const names = [...parameters];
  const others = names.filter((name) => !groupings.has(name) && !isPlain(entries.get(name)!));
  const made = others.reduce((sum, name) => sum + sizeOf(entries.get(name)!.dims) * byteSize.float32, 0);
  const isMapped = [...groupings].every(
    ([name, grouping]) => storedIn(entries.get(name)!, grouping)?.parts !== undefined,
  );
  if (isMapped && made <= inlineBytes) return { entries, [Symbol.asyncDispose]: async () => {} };
  const place = await mkdtemp(join(tmpdir(), "galen-bits-"));
  // Windows keeps a file that is mapped: it is left to the system then.
  const remove = (): Promise<void> => rm(place, { recursive: true, force: true }).catch(() => {});
  try {
    const file = join(place, "model.safetensors");
    const tensors = names.flatMap((name): TensorSource[] => {
      const [entry, grouping] = [entries.get(name)!, groupings.get(name)];
      if (grouping === undefined) return [tensorSource(name, entry)];
      const shape = { dims: entry.dims, shifted: storedIn(entry, grouping)?.shifted === true };
      return groupedSources(name, shape, grouping, () => readGroups(entry, grouping));
    });
    await writeSafetensors(file, tensors, { inOrder: true });
    const written = joinGroups((await openSafetensors(file)).entries, (name) => groupings.get(name));
    return { entries: written, [Symbol.asyncDispose]: remove };
  } catch (error) {
    await remove();
    throw error;
  }
}
