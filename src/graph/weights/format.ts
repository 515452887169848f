/**
 * How the weights of linear layers are held and multiplied. A format is one object in one file of this folder: which
 * layers it takes, how it packs a weight, and the ONNX nodes of a product with the packed weight. No other file knows
 * one format from another: `runtime/network.ts` has weights packed, `lower.ts` has a packed weight write its products.
 */
import type { Value } from "../graph.ts";
import type { OnnxBuilder } from "../onnx-builder.ts";

/** A weight W [outputs, width] that a graph multiplies with, x Wᵀ [+ b]. */
export interface LinearLayer {
  /** The parameter's. */
  readonly name: string;
  readonly outputs: number;
  readonly width: number;
  /** What it is multiplied with, [..., width] each: one value as a rule. */
  readonly inputs: readonly [Value, ...Value[]];
  /** It has other uses as well: a table of embeddings that is the head, too. It is then in the model twice. */
  readonly shared: boolean;
}

export interface WeightFormat {
  /** The only device that has the product; absent: all have it. */
  readonly device?: "cpu";
  /** Packing needs the ranges of a layer's input channels, which take a run over sample inputs. */
  readonly calibrated?: true;
  /** How a layer's weight is packed; undefined where it stays as it is stored. */
  packer(layer: LinearLayer): Packer | undefined;
}

/**
 * Packs a weight [outputs, width], row-major.
 * @param ranges the largest absolute number of each input channel [width], where the format is calibrated.
 */
export type Packer = (weight: Float32Array, ranges: Float32Array | undefined) => PackedWeight;

export interface PackedWeight {
  /** Adds what computes `output` = x Wᵀ [+ bias]. Called for each product; large arrays must be the same each time. */
  multiply(onnx: OnnxBuilder, x: string, bias: string | undefined, output: string): void;
}
