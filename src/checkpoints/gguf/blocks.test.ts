/** ggml's blocks against gguf-py (scripts/goldens/gguf-blocks.py): every number and every byte. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { blockTypes } from "./blocks.ts";

const path = join(import.meta.dirname, "../../../test/goldens/gguf/blocks.json");
const goldens = JSON.parse(readFileSync(path, "utf8"));
const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "base64"));
const numbersOf = (text: string): Float32Array => new Float32Array(bytesOf(text).buffer);

test.each([...blockTypes.values()])("$name is widened to ggml's very bits", ({ name, values, bytes, widen }) => {
  const { bytes: stored, float32 } = goldens.widened[name];
  const expected = numbersOf(float32);
  const found = new Float32Array(expected.length);
  expect(bytesOf(stored).length).toBe((expected.length / values) * bytes);
  widen(bytesOf(stored), found);
  expect(new Uint32Array(found.buffer)).toEqual(new Uint32Array(expected.buffer));
});

test.each(["Q8_0", "Q4_0"])("%s is made with the bytes of ggml's reference", (name) => {
  const type = [...blockTypes.values()].find((one) => one.name === name)!;
  expect(type.narrow!(numbersOf(goldens.numbers))).toEqual(bytesOf(goldens.narrowed[name]));
});
