import { expect, test } from "vitest";
import { channelDivisors } from "./int8.ts";

test("channels are divided by powers of two to at most five medians, or not at all", () => {
  expect(channelDivisors(Float32Array.of(1, 2, 2, 10, 41, 0))).toEqual(Float32Array.of(1, 1, 1, 1, 8, 1));
  expect(channelDivisors(Float32Array.of(1, 2, 3))).toBeUndefined();
  expect(channelDivisors(Float32Array.of(0, 0, 9))).toBeUndefined();
});
