/** The heap against sorting. */
import { expect, test } from "vitest";
import { random } from "../tensor/random.ts";
import { createHeap } from "./heap.ts";

test("a heap gives its items in order, whatever was pushed and popped between", () => {
  const numbers = random(5);
  const heap = createHeap<{ key: number }>((a, b) => a.key < b.key);
  let kept: number[] = [];
  for (let step = 0; step < 500; step++) {
    if (numbers.integer(5) < 3) {
      const key = numbers.integer(40);
      heap.push({ key });
      kept = [...kept, key].sort((a, b) => a - b);
    } else expect(heap.pop()?.key).toBe(kept.shift());
  }
  expect(kept.length).toBeGreaterThan(10);
  while (kept.length > 0) expect(heap.pop()?.key).toBe(kept.shift());
  expect(heap.pop()).toBeUndefined();
});
