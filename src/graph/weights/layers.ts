/** Finding the linear layers of a graph, and the ranges of what they multiply. */
import type { Graph, Value } from "../graph.ts";
import { maximum, neg, reduceMax } from "../ops/index.ts";
import type { LinearLayer } from "./format.ts";

/** Parameters that are weights of linear layers, in the graph's order. */
export function linearLayers(graph: Graph): LinearLayer[] {
  const multiplied = new Map<Value, [Value, ...Value[]]>();
  const others = new Set<Value>();
  for (const { op, inputs, attributes } of graph.nodes) {
    const isLinear = op.isLinear?.(inputs, attributes) === true;
    for (const [i, input] of inputs.entries()) {
      if (isLinear && i === 1) multiplied.set(input, [inputs[0]!, ...(multiplied.get(input) ?? [])]);
      else others.add(input);
    }
  }
  return [...graph.parameters].flatMap(([name, { value }]) => {
    const inputs = multiplied.get(value);
    if (inputs === undefined) return [];
    const [outputs, width] = value.shape as [number, number];
    return [{ name, outputs, width, inputs, shared: others.has(value) }];
  });
}

/** The largest absolute number of each channel of a layer's input: [width]. */
export function channelRanges({ inputs }: LinearLayer): Value {
  const ranges = inputs.map((x) => {
    const leading = x.shape.slice(0, -1).map((_, axis) => axis);
    return reduceMax(maximum(x, neg(x)), leading, { keepDims: false });
  });
  return ranges.reduce(maximum);
}
