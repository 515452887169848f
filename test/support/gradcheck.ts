/**
 * Gradient check by one random direction (autograd's check_vjp): <gradient, d> against the central difference of
 * <y, u> along d, in float64.
 */
import { gradients } from "../../src/graph/grad.ts";
import { Graph, type Op, type Sample, type Value } from "../../src/graph/graph.ts";
import { toOnnx } from "../../src/graph/lower.ts";
import { mul, sumAll } from "../../src/graph/ops/index.ts";
import { createSession, type Tensors } from "../../src/runtime/session.ts";
import { random } from "../../src/tensor/random.ts";
import { sizeOf, type Tensor, tensor } from "../../src/tensor/tensor.ts";

export interface Check {
  readonly analytic: number;
  readonly numeric: number;
}

/** Relative difference of the two derivatives. */
export function difference({ analytic, numeric }: Check): number {
  return Math.abs(analytic - numeric) / Math.max(1e-3, Math.abs(analytic), Math.abs(numeric));
}

/** Derivative of `sum(u * build(inputs))` along a random direction, both ways. */
export async function checkGradient(
  build: (inputs: Value[]) => Value,
  inputs: Sample<unknown>["inputs"],
  { range = [-1, 1], seed = 1, step = 1e-5 }: { range?: readonly [number, number]; seed?: number; step?: number } = {},
): Promise<Check> {
  const graph = new Graph({ float: "float64", training: true });
  const numbers = random(seed);
  const host: Tensor[] = [];
  const values = inputs.map((input, i) => {
    if ("int64" in input) {
      host.push(tensor("int64", input.dims, BigInt64Array.from(input.int64.map(BigInt))));
      return graph.input(`x${i}`, "int64", input.dims);
    }
    if ("bool" in input) {
      host.push(tensor("bool", input.dims, Uint8Array.from(input.bool)));
      return graph.input(`x${i}`, "bool", input.dims);
    }
    const data = Float64Array.from({ length: sizeOf(input) }, () => range[0] + (range[1] - range[0]) * numbers.next());
    host.push(tensor("float64", input, data));
    return graph.input(`x${i}`, "float64", input);
  });
  const y = build(values);
  const u = Array.from({ length: sizeOf(y.shape as number[]) }, () => numbers.normal());
  const loss = graph.output("loss", sumAll(mul(y, graph.constant("float64", y.shape as number[], u))));
  const wanted = values.filter((value) => value.dtype === "float64");
  gradients(loss, wanted).forEach((gradient, i) => graph.output(`d${wanted[i]!.name}`, gradient));
  await using session = await createSession(toOnnx(graph), { threads: 1 });

  const directions = host.map((x) => Float64Array.from({ length: x.data.length }, () => numbers.normal()));
  const at = (epsilon: number): Tensors =>
    Object.fromEntries(
      host.map((x, i) => {
        if (x.dtype !== "float64") return [`x${i}`, x];
        const data = (x.data as Float64Array).map((value, k) => value + epsilon * directions[i]![k]!);
        return [`x${i}`, tensor("float64", x.dims, data)];
      }),
    );
  const lossAt = async (epsilon: number): Promise<number> => Number((await session.run(at(epsilon)))["loss"]!.data[0]);
  const exact = await session.run(at(0));
  let analytic = 0;
  host.forEach((x, i) => {
    if (x.dtype !== "float64") return;
    const gradient = exact[`dx${i}`]!.data as Float64Array;
    gradient.forEach((value, k) => (analytic += value * directions[i]![k]!));
  });
  return { analytic, numeric: ((await lossAt(step)) - (await lossAt(-step))) / (2 * step) };
}

/** The check of one op's first output on one of its samples. */
export function checkOp(op: Op<readonly Value[], unknown>, sample: Sample<unknown>, seed = 1): Promise<Check> {
  // The error function is taken in float32, so its difference quotient needs a wider step.
  const step = op.name === "Gelu" ? 2e-3 : 1e-5;
  const options = { seed, step, ...(sample.range === undefined ? {} : { range: sample.range }) };
  const build = (inputs: Value[]): Value => inputs[0]!.graph.apply(op, inputs, sample.attributes)[0]!;
  return checkGradient(build, sample.inputs, options);
}
