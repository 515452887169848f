/** The graph builder by itself: logistic regression with gradients from reverse mode, run by ONNX Runtime. */
import { Graph, gradients, linear, reduceMean, sigmoid, sub, sumAll, mul, toOnnx } from "galen/graph";
import { createSession } from "galen/runtime";
import { tensor } from "galen";

const g = new Graph();
const x_ND = g.input("x", "float32", ["N", 2]);
const y_N1 = g.input("y", "float32", ["N", 1]);
const weight_1D = g.param("weight", [1, 2], { normal: 0.1 });
const bias_1 = g.param("bias", [1], { constant: 0 });
const apart_N1 = sub(sigmoid(linear(x_ND, weight_1D, bias_1)), y_N1);
const loss = g.output("loss", sumAll(reduceMean(mul(apart_N1, apart_N1), [0])));
gradients(loss, [weight_1D, bias_1]).forEach((gradient, i) => g.output(["dweight", "dbias"][i]!, gradient));

await using session = await createSession(toOnnx(g), { threads: 1 });
const weight = Float32Array.of(0, 0);
const bias = Float32Array.of(0);
const inputs = {
  x: tensor("float32", [4, 2], Float32Array.of(0, 0, 0, 1, 1, 0, 1, 1)),
  y: tensor("float32", [4, 1], Float32Array.of(0, 1, 1, 1)), // the logical or
  weight: tensor("float32", [1, 2], weight),
  bias: tensor("float32", [1], bias),
};
for (let step = 0; step <= 200; step++) {
  const { loss: value, dweight, dbias } = await session.run(inputs);
  if (step % 100 === 0) console.log(`step ${step}: loss ${Number(value!.data[0]).toFixed(4)}`);
  weight.forEach((_, i) => (weight[i]! -= 2 * Number(dweight!.data[i])));
  bias[0]! -= 2 * Number(dbias!.data[0]);
}
