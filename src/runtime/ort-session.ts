/** A session of ONNX Runtime as Galen's: what the packages for Node and for browsers have in common. */
import { RuntimeError } from "../errors.ts";
import type { DType, Tensor } from "../tensor/tensor.ts";
import type { Session, Tensors } from "./session.ts";

/** A tensor as both packages have it. */
interface OrtTensor {
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: unknown;
}

/** A session as both packages have it. */
interface OrtSession<T extends OrtTensor> {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  run(feeds: Record<string, T>, fetches: Record<string, T | null>): Promise<Record<string, OrtTensor>>;
  release(): Promise<void>;
}

interface Package<T extends OrtTensor> {
  /** A view of a tensor in memory. */
  viewOf(tensor: Tensor): T;
  /** Results are written where they are wanted; otherwise they are copied there. */
  readonly writesInto: boolean;
  /** Before each run. */
  readonly turn?: (() => Promise<void>) | undefined;
}

/** Views by their tensors: a tensor that is reused at every step costs nothing again. */
const views = new WeakMap<Tensor, OrtTensor>();

export function sessionOf<T extends OrtTensor>(
  session: OrtSession<T>,
  { viewOf, writesInto, turn }: Package<T>,
): Session {
  const handleOf = (tensor: Tensor): T => {
    const known = views.get(tensor) as T | undefined;
    if (known !== undefined) return known;
    const made = viewOf(tensor);
    views.set(tensor, made);
    return made;
  };
  let open = true;
  const dispose = async (): Promise<void> => {
    if (open) await session.release();
    open = false;
  };
  const compute = async (feeds: Record<string, T>, into: Tensors): Promise<Record<string, OrtTensor>> => {
    const fetches: Record<string, T | null> = {};
    for (const name of session.outputNames) {
      fetches[name] = writesInto && into[name] !== undefined ? handleOf(into[name]) : null;
    }
    try {
      return await session.run(feeds, fetches);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const hint = reason.includes("requires f16")
        ? "this device has no float16: leave precision at float32"
        : undefined;
      throw new RuntimeError(`session: ONNX Runtime failed: ${reason}`, { cause: error, hint });
    }
  };
  return {
    inputNames: session.inputNames,
    outputNames: session.outputNames,
    async run(inputs: Tensors, into: Tensors = {}): Promise<Record<string, Tensor>> {
      if (!open) throw new RuntimeError("session: expected an open session, got one that was disposed");
      const feeds: Record<string, T> = {};
      for (const name of session.inputNames) {
        const input = inputs[name];
        if (input === undefined) {
          throw new RuntimeError(
            `session: expected input "${name}", got ${Object.keys(inputs).join(", ") || "nothing"}`,
          );
        }
        feeds[name] = handleOf(input);
      }
      await turn?.();
      const results = await compute(feeds, into);
      const outputs: Record<string, Tensor> = {};
      for (const name of session.outputNames) {
        const given = into[name];
        const { type, dims, data } = results[name]!;
        const result: Tensor = { dtype: type as DType, dims, data: data as Tensor["data"] };
        if (given !== undefined && !writesInto) copyInto(given, result, name);
        outputs[name] = given ?? result;
      }
      return outputs;
    },
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
}

/** @throws RuntimeError where the place is another's. */
function copyInto(place: Tensor, result: Tensor, name: string): void {
  if (place.dtype !== result.dtype || place.dims.join() !== result.dims.join()) {
    throw new RuntimeError(
      `session: output "${name}": expected room for ${result.dtype} [${result.dims.join(", ")}], ` +
        `got ${place.dtype} [${place.dims.join(", ")}]`,
    );
  }
  (place.data as Float32Array).set(result.data as Float32Array);
}
