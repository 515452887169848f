/**
 * How much faster this processor multiplies in eight bits than in float32, measured on one product of each: which
 * instructions it has (VNNI, AMX, dot products) says less than what the engine makes of them, and systems name them each in
 * their own way. Only messages depend on it: results must not depend on a clock.
 */
import { Graph } from "../graph/graph.ts";
import { toOnnx } from "../graph/lower.ts";
import { linear } from "../graph/ops/index.ts";
import { int8 } from "../graph/weights/int8.ts";
import { weightsOf } from "../graph/weights/layers.ts";
import { tensor } from "../tensor/tensor.ts";
import { createSession, type Session } from "./session.ts";

/** Of a layer of small embedding models, and of a batch of texts. */
const [rows, width, outputs] = [256, 384, 768];

/** Below this a product in eight bits is not worth what it loses. */
export const leastGain = 1.15;

/** float32's time over that of eight bits on one thread, the least of `rounds` each, in turn: a tenth of a second. */
export async function eightBitGain(rounds = 9): Promise<number> {
  const g = new Graph();
  const x_NI = g.input("x", "float32", [rows, width]);
  g.output("y", linear(x_NI, g.param("weight", [outputs, width], { normal: 1 })));
  const noise = (count: number): Float32Array => new Float32Array(count).map((_, i) => ((i * 7919) % 255) - 127);
  const numbers = noise(outputs * width);
  const bytes = new Uint8Array(numbers.buffer);
  const [weight] = weightsOf(g);
  const packed = new Map([["weight", int8.packer(weight!)!(numbers, undefined)]]);
  const parameters = (): { dtype: "float32"; bytes: Uint8Array } => ({ dtype: "float32", bytes });
  await using exact = await createSession(toOnnx(g, { parameters }), { threads: 1 });
  await using eight = await createSession(toOnnx(g, { packed }), { threads: 1 });
  const [x, y] = [tensor("float32", [rows, width], noise(rows * width)), tensor("float32", [rows, outputs])];
  const time = async (session: Session): Promise<number> => {
    const start = performance.now();
    await session.run({ x }, { y });
    return performance.now() - start;
  };
  let [float, whole] = [Infinity, Infinity];
  for (let round = 0; round <= rounds; round++) {
    const [a, b] = [await time(exact), await time(eight)];
    if (round > 0) [float, whole] = [Math.min(float, a), Math.min(whole, b)];
  }
  return float / whole;
}

/** What to say of eight bits with a gain of `eightBitGain`, where that is next to nothing; undefined where it is not. */
export function withoutGain(gain: number): string | undefined {
  if (gain >= leastGain) return undefined;
  return `int8: float32 is as fast on this processor (${gain.toFixed(2)} times in eight bits) and loses nothing: leave --int8 out`;
}
