/**
 * Token vectors in a temporary file, for those that do not fit in memory: float32 rows one text after the other, read
 * back in ranges of texts. In memory is a number a text.
 */
import { openTemporary } from "../io/temporary.ts";
import type { TokenVectors } from "./max-sim.ts";

export interface VectorStore extends AsyncDisposable {
  /** Of the texts that follow. All have the same width. */
  append(vectors: readonly TokenVectors[]): Promise<void>;
  /** Of the texts from number `first` up to `end`, which is not read. */
  read(first: number, end: number): Promise<TokenVectors[]>;
}

/** Opens an empty store on the disk of `folder`. */
export async function openVectorStore(folder: string): Promise<VectorStore> {
  const file = await openTemporary(folder);
  let width = 0;
  /** Vectors before each text, and before what is to come. */
  const starts = [0];
  return {
    async append(vectors) {
      for (const { width: own, count, data } of vectors) {
        await file.append(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
        width = own;
        starts.push(starts.at(-1)! + count);
      }
    },
    async read(first, end) {
      const from = starts[first]!;
      const rows = new Float32Array((starts[end]! - from) * width);
      await file.read(new Uint8Array(rows.buffer), 4 * from * width);
      return Array.from({ length: end - first }, (_, i) => {
        const [start, stop] = [starts[first + i]!, starts[first + i + 1]!];
        return { width, count: stop - start, data: rows.subarray((start - from) * width, (stop - from) * width) };
      });
    },
    [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
  };
}
