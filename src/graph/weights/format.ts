/**
 * How weights are held and multiplied. A format is one object in one file of this folder: which weights it takes, how it
 * packs one, and the ONNX nodes that use the packed weight. No other file knows one format from another:
 * `runtime/network.ts` has weights packed, and a packed weight writes its own products.
 */
import type { Grouping } from "../../tensor/grouped.ts";
import type { Value, WeightUse } from "../graph.ts";
import type { PackedWeight } from "../onnx-builder.ts";

/** A weight W [outputs, width] that a graph multiplies with, x Wᵀ [+ b], or takes rows of. */
export interface Weight {
  /** The parameter's. */
  readonly name: string;
  readonly outputs: number;
  readonly width: number;
  /** What it is multiplied with, [..., width] each: one value as a rule. */
  readonly inputs: readonly Value[];
  /** "other": an op that takes it only as it is stored; it is then in the model twice. */
  readonly uses: ReadonlySet<WeightUse["as"] | "other">;
  /** The parameter is stored as [width, outputs]. */
  readonly transposed: boolean;
  /** Its rows are the vocabulary's. */
  readonly vocabulary: boolean;
}

export interface WeightFormat {
  /** The only device that has the product; absent: all have it. */
  readonly device?: "cpu";
  /** Packing needs the ranges of a weight's input channels, which take a run over sample inputs. */
  readonly calibrated?: true;
  /** Inputs are rounded by the range of all rows of a pass, so that a row's results depend on the others. */
  readonly acrossRows?: true;
  /** It holds weights in groups, which are written to a file before the graph is compiled, or lie in one already. */
  readonly grouping?: Grouping;
  /** How a weight is packed; undefined where it stays as it is stored. */
  packer(weight: Weight): Packer | undefined;
}

/**
 * Packs a weight [outputs, width], row-major, however it is stored.
 * @param ranges the largest absolute number of each input channel [width], where the format is calibrated.
 */
export type Packer = (numbers: Float32Array, ranges: Float32Array | undefined) => PackedWeight;
