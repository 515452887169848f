/**
 * Results of a network that are not finite end in an error that says where the first of them stands, and which weight
 * is to blame, if one is. Weights themselves are looked at only then: a model of gigabytes opens at once.
 */
import { readFloat32 } from "../checkpoints/entries.ts";
import { isFloat } from "../checkpoints/floats.ts";
import { CheckpointError, type GalenError, RuntimeError } from "../errors.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Entries } from "./parameters.ts";
import type { Session } from "./session.ts";

/** Place of the first number that is not finite; -1 where there is none. */
export function firstNotFinite(data: ArrayLike<number>): number {
  const zero = 0;
  const whole = data.length - (data.length % 4);
  let [a, b, c, d] = [0, 0, 0, 0];
  // Only what is not finite gives NaN here; the loop has no branch, and no sum waits for the one before.
  for (let i = 0; i < whole; i += 4) {
    a += data[i]! * zero;
    b += data[i + 1]! * zero;
    c += data[i + 2]! * zero;
    d += data[i + 3]! * zero;
  }
  for (let i = whole; i < data.length; i++) a += data[i]! * zero;
  if (a + b + c + d === 0) return -1;
  for (let i = 0; i < data.length; i++) if (!Number.isFinite(data[i])) return i;
  return -1;
}

/** `[1, 0, 5]`: place `at` of a tensor of these dims. */
function placeOf(at: number, dims: readonly number[]): string {
  const place: number[] = [];
  for (const dim of dims.toReversed()) {
    place.unshift(at % dim);
    at = Math.floor(at / dim);
  }
  return `[${place.join(", ")}]`;
}

function isNumbers(tensor: Tensor): tensor is Tensor<"float32" | "float64"> {
  return tensor.dtype === "float32" || tensor.dtype === "float64";
}

/**
 * A weight among `entries` with a number that is not finite; undefined where all are finite.
 * @throws CheckpointError where one cannot be read.
 */
async function badWeight(entries: Entries): Promise<GalenError | undefined> {
  for (const [name, entry] of entries) {
    if (!isFloat(entry.dtype)) continue;
    const data = await readFloat32(entry);
    const at = firstNotFinite(data);
    if (at >= 0) return notFinite(`${entry.file}: "${name}"`, data[at]!, at, entry.dims);
  }
  return undefined;
}

/** @throws CheckpointError where a weight that was read has a number that is not finite. */
export function requireFinite(where: string, data: Float32Array, dims: readonly number[]): void {
  const at = firstNotFinite(data);
  if (at >= 0) throw notFinite(where, data[at]!, at, dims);
}

function notFinite(where: string, value: number, at: number, dims: readonly number[]): CheckpointError {
  return new CheckpointError(`${where}: expected finite numbers, got ${value} at ${placeOf(at, dims)}`, {
    hint: "the weights are damaged, or their training went astray: take a checkpoint of before, or download them again",
  });
}

/**
 * The session, whose `run` gives finite numbers alone. `entries`: the weights, where they are in files.
 * @throws CheckpointError, from `run`, that names the weight; RuntimeError that names the result where none is to blame.
 */
export function finiteSession(session: Session, where: string, entries: Entries = new Map()): Session {
  return {
    ...session,
    run: async (inputs, into) => {
      const outputs = await session.run(inputs, into);
      for (const [name, tensor] of Object.entries(outputs)) {
        if (!isNumbers(tensor)) continue;
        const at = firstNotFinite(tensor.data);
        if (at < 0) continue;
        const weight = await badWeight(entries);
        const seen = `result "${name}"${placeOf(at, tensor.dims)} of the network is ${tensor.data[at]}`;
        if (weight !== undefined) throw new CheckpointError(`${weight.message}\n${where}: ${seen}`, { cause: weight });
        throw new RuntimeError(`${where}: expected finite results, got a ${seen}`, {
          hint: "the numbers grew too large on their way, although all weights are finite; try float32, or another device",
        });
      }
      return outputs;
    },
  };
}
