import { expect, test } from "vitest";
import { eightBitGain, leastGain, withoutGain } from "./eight-bits.ts";

test("a product of each kind is timed, and eight bits without a gain are named", async () => {
  const gain = await eightBitGain(2);
  expect(gain).toBeGreaterThan(0);
  expect(gain).toBeLessThan(100);
  expect(withoutGain(leastGain)).toBeUndefined();
  expect(withoutGain(1.02)).toMatch(/float32 is as fast on this processor \(1.02 times/);
});
