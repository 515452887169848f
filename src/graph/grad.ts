/**
 * Reverse mode over a graph: walks the nodes backwards once, only where a path leads from a wanted value to the loss,
 * and appends the backward nodes to the same graph. Un-broadcasting and summing live here and in no gradient rule.
 * Segments made by `Graph.checkpoint` are computed again right before their backward pass (Chen et al. 2016,
 * arXiv:1604.06174).
 */
import { ShapeError } from "../errors.ts";
import type { Cotangent, Node, Value } from "./graph.ts";
import { withControlDependency } from "./ops/control.ts";
import { add } from "./ops/elementwise.ts";
import { reduceSum } from "./ops/reduce.ts";
import { reshape } from "./ops/reshape.ts";
import { broadcastAxes, equal, show } from "./shape.ts";

/**
 * Gradients of a scalar loss with respect to `wanted`.
 * @throws ShapeError when the loss is not a scalar, or a wanted value does not lead to it.
 */
export function gradients(loss: Value, wanted: readonly Value[]): Value[] {
  const { graph } = loss;
  if (loss.shape.length !== 0) throw new ShapeError(`gradients: expected a scalar loss, got ${show(loss.shape)}`);
  const nodes = [...graph.nodes];
  const reached = reachableFrom(nodes, wanted);
  const sums = new Map<Value, Value>([[loss, graph.scalar(1, loss.dtype)]]);
  const recomputation = new Recomputation(nodes);

  for (let i = nodes.length - 1; i >= 0; i--) {
    const node = nodes[i]!;
    const cotangents = node.outputs.map((output) => sums.get(output));
    const trigger = cotangents.find((cotangent) => cotangent !== undefined);
    if (trigger === undefined || !node.inputs.some((input) => reached.has(input))) continue;
    if (node.op.vjp === "nondifferentiable") {
      throw new ShapeError(`gradients: ${node.op.name} is on the path to the loss and has no gradient`);
    }
    const { inputs, outputs } = recomputation.of(node, trigger);
    const results = node.op.vjp({ inputs, outputs, attributes: node.attributes }, cotangents);
    node.inputs.forEach((input, k) => {
      if (reached.has(input)) accumulate(sums, input, results[k] ?? null);
    });
  }
  return wanted.map((value) => {
    const sum = sums.get(value);
    if (sum === undefined) throw new ShapeError(`gradients: "${value.name}" does not lead to the loss`);
    return sum;
  });
}

function reachableFrom(nodes: readonly Node[], wanted: readonly Value[]): Set<Value> {
  const reached = new Set(wanted);
  for (const node of nodes) {
    if (node.op.vjp === "nondifferentiable" || !node.inputs.some((input) => reached.has(input))) continue;
    for (const output of node.outputs) reached.add(output);
  }
  return reached;
}

function accumulate(sums: Map<Value, Value>, target: Value, cotangent: Cotangent): void {
  if (cotangent === null) return;
  const sum = sums.get(target);
  if (typeof cotangent === "function") {
    sums.set(target, cotangent(sum));
    return;
  }
  const term = unbroadcast(cotangent, target);
  sums.set(target, sum === undefined ? term : add(sum, term));
}

/** Sums over the axes along which `target` was broadcast. */
function unbroadcast(cotangent: Value, target: Value): Value {
  if (equal(cotangent.shape, target.shape)) return cotangent;
  const axes = broadcastAxes(cotangent.shape, target.shape);
  return reshape(reduceSum(cotangent, axes, { keepDims: false }), target.shape);
}

/** Gives a node's inputs and outputs as the backward pass shall see them: the originals, or copies of a segment. */
class Recomputation {
  readonly #nodes: readonly Node[];
  readonly #copies = new Map<Value, Value>();
  readonly #done = new Set<number>();

  constructor(nodes: readonly Node[]) {
    this.#nodes = nodes;
  }

  of(node: Node, trigger: Value): { inputs: Value[]; outputs: Value[] } {
    if (node.segment !== undefined && !this.#done.has(node.segment)) this.#compute(node.segment, trigger);
    const seen = (value: Value): Value => (node.segment === undefined ? value : (this.#copies.get(value) ?? value));
    return { inputs: node.inputs.map(seen), outputs: node.outputs.map(seen) };
  }

  /** Copies the segment's nodes; what enters it waits for `trigger`, so that nothing runs before it is needed. */
  #compute(segment: number, trigger: Value): void {
    this.#done.add(segment);
    const members = this.#nodes.filter((node) => node.segment === segment);
    const inside = new Set(members.flatMap((node) => node.outputs));
    const entering = new Map<Value, Value>();
    const enter = (value: Value): Value => {
      if (inside.has(value)) return this.#copies.get(value)!;
      if (value.node === undefined) return value; // inputs and parameters are there anyway
      let waiting = entering.get(value);
      if (waiting === undefined) entering.set(value, (waiting = withControlDependency(value, trigger)));
      return waiting;
    };
    for (const node of members) {
      const outputs = node.inputs[0]!.graph.apply(node.op, node.inputs.map(enter), node.attributes);
      node.outputs.forEach((output, i) => this.#copies.set(output, outputs[i]!));
    }
  }
}
