/** Finding the weights of a graph that may be packed, and the ranges of what they multiply. */
import type { Graph, Value, WeightUse } from "../graph.ts";
import { maximum, neg, reduceMax } from "../ops/index.ts";
import type { Weight } from "./format.ts";

/** Parameters that an op may use packed, in the graph's order. */
export function weightsOf(graph: Graph): Weight[] {
  const uses = new Map<Value, Set<WeightUse["as"] | "other">>();
  const multiplied = new Map<Value, Value[]>();
  for (const { op, inputs, attributes } of graph.nodes) {
    const use = op.weight?.(inputs, attributes);
    for (const [i, input] of inputs.entries()) {
      const as = i === use?.at ? use.as : "other";
      uses.set(input, (uses.get(input) ?? new Set()).add(as));
      if (as === "product" || as === "transposed")
        multiplied.set(input, [inputs[0]!, ...(multiplied.get(input) ?? [])]);
    }
  }
  return [...graph.parameters].flatMap(([name, { value, vocabulary = false }]) => {
    const found = uses.get(value);
    const isPackable = found !== undefined && value.shape.length === 2 && [...found].some((use) => use !== "other");
    if (!isPackable) return [];
    const transposed = found.has("transposed");
    if (transposed && found.size > 1) return [];
    const [outputs, width] = (transposed ? value.shape.toReversed() : value.shape) as [number, number];
    return [{ name, outputs, width, inputs: multiplied.get(value) ?? [], uses: found, transposed, vocabulary }];
  });
}

/** The largest absolute number of each channel of what a weight is multiplied with: [width]. */
export function channelRanges({ inputs }: Weight): Value {
  const ranges = inputs.map((x) => {
    const leading = x.shape.slice(0, -1).map((_, axis) => axis);
    return reduceMax(maximum(x, neg(x)), leading, { keepDims: false });
  });
  return ranges.reduce(maximum);
}
