/** Turning pairs of numbers by angles: rotary positions as one op, whose gradient turns back. */
// B batch, H heads, T tokens, K width of a head
import { ShapeError } from "../../errors.ts";
import { applyOp, defineOp, type Op, type Value } from "../graph.ts";
import { broadcast, show } from "../shape.ts";
import { add, mul, neg, sub } from "./elementwise.ts";
import { slice } from "./reshape.ts";

const rotateOp: Op<[x_BHTK: Value, cos_B1TK: Value, sin_B1TK: Value], null> = defineOp({
  name: "Rotate",
  infer: ([x, cos, sin]) => {
    const width = x.shape[3];
    if (x.shape.length !== 4 || typeof width !== "number" || width % 2 !== 0) {
      throw new ShapeError(`rotate: expected [B, H, T, K] with an even K, got ${show(x.shape)}`);
    }
    const half = [...x.shape.slice(0, 3), width / 2];
    for (const angles of [cos, sin]) broadcast("rotate: cosines and sines", angles.shape, half);
    return [x];
  },
  lower: (onnx, { inputs: [x, cos, sin], outputs: [y], types: [type] }) => {
    const width = type!.shape[3] as number;
    const part = (from: number, to: number): string =>
      onnx.node("Slice", [x!, onnx.ints([from]), onnx.ints([to]), onnx.ints([3])]);
    const [first, second] = [part(0, width / 2), part(width / 2, width)];
    const times = (half: string, by: string): string => onnx.node("Mul", [half, by]);
    const halves = [
      onnx.node("Sub", [times(first, cos!), times(second, sin!)]),
      onnx.node("Add", [times(second, cos!), times(first, sin!)]),
    ];
    onnx.node("Concat", halves, { axis: 3 }, y);
  },
  vjp: ({ inputs: [x, cos, sin] }, [dy]) => {
    const half = (x.shape[3] as number) / 2;
    const halves = (of: Value): [Value, Value] => [slice(of, 3, 0, half), slice(of, 3, half, 2 * half)];
    const [[x1, x2], [dy1, dy2]] = [halves(x), halves(dy!)];
    return [
      applyOp(rotateOp, [dy!, cos, neg(sin)], null),
      add(mul(dy1, x1), mul(dy2, x2)),
      sub(mul(dy2, x1), mul(dy1, x2)),
    ];
  },
  samples: [
    {
      inputs: [
        [2, 2, 3, 4],
        [1, 1, 3, 2],
        [1, 1, 3, 2],
      ],
      attributes: null,
    },
  ],
});

/** x[i] and x[i + K/2] of x_BHTK turned by the angle of which these are cosine and sine [B or 1, 1, T, K/2]. */
export function rotate(x_BHTK: Value, [cos_B1TK, sin_B1TK]: readonly [Value, Value]): Value {
  return applyOp(rotateOp, [x_BHTK, cos_B1TK, sin_B1TK], null);
}
